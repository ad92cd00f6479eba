/* `engine`: what the engine's own Lua (apogee.main and what it requires) works with. Scripts never
 * see it. Files, words, tasks and the state of the run are here; the record is in bind_record.c. */
// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/utf8.h"
#include "net/ssh_key.h"
#include "script/host_private.h"
#include "script/run_private.h"
#include "script/secret.h"
#include "script/source.h"

enum { PATH_MAX_BYTES = 4096, WORDS_MAX = 1024 };

static const char *const capabilities[] = {"vt", "sftp", "files", "http"};

static int fail(lua_State *L, const char *message)
{
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}

/* ---- scripts ---- */

/* The folder of a path; NULL for one without: its modules are then not found. */
static void push_folder(lua_State *L, const char *path)
{
  const char *slash = strrchr(path, '/');
  if (slash)
    lua_pushlstring(L, path, (size_t)(slash - path));
  else
    lua_pushliteral(L, ".");
}

/* load(path) -> what the file returns, its environment | nil, message */
static int engine_load(lua_State *L)
{
  struct ap_error err = {0};
  const char *path = luaL_checkstring(L, 1);
  push_folder(L, path);
  script_env_push(L, lua_tostring(L, -1));
  int env = lua_gettop(L);
  if (script_run_file(L, env, path, &err) != AP_OK)
    return fail(L, err.text);
  if (lua_isnil(L, -1)) {
    lua_pushfstring(L, "%s: returns nothing: it must end in return action {...} or playbook {...}",
                    path);
    return fail(L, lua_tostring(L, -1));
  }
  lua_pushvalue(L, env);
  return 2;
}

/* read_manifest_line(path, text) -> the number of the first line with that text | nil */
static int engine_read_manifest_line(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  const char *wanted = luaL_checkstring(L, 2);
  struct ap_buf text = {0};
  lua_Integer line = 0;
  if (script_source_read(path, script_host_of(L)->limits.source_bytes, &text, NULL) == AP_OK) {
    const char *start = ap_buf_cstr(&text);
    const char *found = strstr(start, wanted);
    for (const char *c = start; found && c < found; c++)
      line += *c == '\n';
    line += found != NULL;
  }
  ap_buf_deinit(&text);
  if (line)
    lua_pushinteger(L, line);
  else
    lua_pushnil(L);
  return 1;
}

/* source(path) -> the text of a script | nil */
static int engine_source(lua_State *L)
{
  struct ap_buf text = {0};
  int rc = script_source_read(luaL_checkstring(L, 1), script_host_of(L)->limits.source_bytes, &text,
                              NULL);
  if (rc == AP_OK)
    lua_pushlstring(L, ap_buf_cstr(&text), text.len);
  ap_buf_deinit(&text);
  return rc == AP_OK;
}

/* web_host(text) -> true | nil, why it is no host that `http` may be given */
static int engine_web_host(lua_State *L)
{
  struct net_web_host host;
  struct ap_error err = {0};
  if (net_web_host_parse(luaL_checkstring(L, 1), &host, &err) != AP_OK)
    return fail(L, err.text);
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- finding files ---- */

static int is_script(const struct dirent *entry)
{
  size_t len = strlen(entry->d_name);
  static const char spec[] = "_spec.lua"; /* of a test: lies beside what it tests */
  bool is_spec = len >= strlen(spec) && strcmp(entry->d_name + len - strlen(spec), spec) == 0;
  return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0 &&
         !is_spec;
}

/* Adds { path =, origin =, is_pack = } to the list on top. */
static void add_file(lua_State *L, const char *path, const char *origin, bool is_pack)
{
  lua_createtable(L, 0, 3);
  lua_pushstring(L, path);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, origin);
  lua_setfield(L, -2, "origin");
  lua_pushboolean(L, is_pack);
  lua_setfield(L, -2, "is_pack");
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* Adds the scripts of the folder to the list on top. A folder that is not there has none. */
static void add_folder(lua_State *L, const char *folder, const char *origin)
{
  struct dirent **entries = NULL;
  int count = scandir(folder, &entries, is_script, alphasort);
  for (int i = 0; i < count; i++) {
    const char *path = lua_pushfstring(L, "%s/%s", folder, entries[i]->d_name);
    lua_insert(L, -2);
    add_file(L, path, origin, false);
    lua_remove(L, -2);
    free(entries[i]);
  }
  free(entries);
}

/* Adds the folder's pack.lua to the list on top, if it has one. */
static bool add_pack(lua_State *L, const char *folder)
{
  const char *path = lua_pushfstring(L, "%s/pack.lua", folder);
  bool is_pack = access(path, F_OK) == 0;
  lua_insert(L, -2);
  if (is_pack)
    add_file(L, path, folder, true);
  lua_remove(L, -2);
  return is_pack;
}

static int is_visible(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

/* A folder of actions_path is a pack, or has scripts, and packs as folders of its own. */
static void add_actions_folder(lua_State *L, const char *folder)
{
  struct dirent **entries = NULL;
  if (add_pack(L, folder))
    return;
  add_folder(L, folder, folder);
  int count = scandir(folder, &entries, is_visible, alphasort);
  for (int i = 0; i < count; i++) {
    const char *inner = lua_pushfstring(L, "%s/%s", folder, entries[i]->d_name);
    lua_insert(L, -2);
    (void)add_pack(L, inner);
    lua_remove(L, -2);
    free(entries[i]);
  }
  free(entries);
}

/* action_files() -> { { path =, origin = "packaged" or the folder, is_pack = it is a pack.lua } }
 */
static int engine_action_files(lua_State *L)
{
  const struct script_run_options *options = &script_run_of(L)->options;
  lua_newtable(L);
  add_folder(L, options->packaged, "packaged");
  for (size_t i = 0; i < options->action_folder_count; i++)
    add_actions_folder(L, options->action_folders[i]);
  return 1;
}

/* playbook_files() -> { { path =, origin = "packaged" }, ... } */
static int engine_playbook_files(lua_State *L)
{
  lua_newtable(L);
  add_folder(L, script_run_of(L)->options.playbooks, "packaged");
  return 1;
}

/* is_file(path) -> whether something is there */
static int engine_is_file(lua_State *L)
{
  lua_pushboolean(L, access(luaL_checkstring(L, 1), F_OK) == 0);
  return 1;
}

/* goes_with(path, named) -> true | nil, why not: whether a file that lies there may be taken for
 * one that the user named. Only who could have written that one may have written it. */
static int engine_goes_with(lua_State *L)
{
  struct stat found;
  struct stat named;
  const char *path = luaL_checkstring(L, 1);
  if (stat(path, &found) != 0 || stat(luaL_checkstring(L, 2), &named) != 0)
    return fail(L, strerror(errno));
  if (found.st_uid != named.st_uid && found.st_uid != geteuid() && found.st_uid != 0)
    return fail(L, "it belongs to another user");
  if (found.st_mode & S_IWOTH)
    return fail(L, "others may write it");
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- words ---- */

/* nearest(word, list) -> the name in the list that was meant | nil */
static int engine_nearest(lua_State *L)
{
  const char *word = luaL_checkstring(L, 1);
  const char *names[WORDS_MAX];
  size_t count = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer given = (lua_Integer)lua_rawlen(L, 2);
  for (lua_Integer i = 1; i <= given && count < WORDS_MAX; i++) {
    if (lua_rawgeti(L, 2, i) == LUA_TSTRING)
      names[count++] = lua_tostring(L, -1); /* the list keeps it */
    lua_pop(L, 1);
  }
  lua_pushstring(L, ap_nearest(word, names, count));
  return 1;
}

/* type_of(word) -> the canonical type | nil */
static int engine_type_of(lua_State *L)
{
  enum case_type type;
  const char *word = luaL_checkstring(L, 1);
  lua_pushstring(L, case_type_parse(word, &type) ? case_type_word(type) : NULL);
  return 1;
}

/* Names of files, and words of scripts that could not be read, come as they are. */
static void add_visible(struct ap_buf *out, const char *text, size_t len)
{
  while (len) {
    size_t size = ap_utf8_size(text, len);
    if (size == 0)
      ap_buf_add_fmt(out, "\\x%02x", (unsigned char)*text);
    else if (*text == '\n' || ap_utf8_is_visible(text, size))
      ap_buf_add(out, text, size);
    else
      ap_buf_add_fmt(out, "\\u{%x}", ap_utf8_point(text, size));
    size += size == 0;
    text += size;
    len -= size;
  }
}

/* print(text[, is_json]): what cannot be seen is made visible, but for the ends of lines; JSON has
 * escapes of its own */
static int engine_print(lua_State *L)
{
  size_t len;
  struct ap_buf out = {0};
  const struct script_run *run = script_run_of(L);
  const char *text = luaL_checklstring(L, 1, &len);
  if (lua_toboolean(L, 2))
    ap_buf_add(&out, text, len);
  else
    add_visible(&out, text, len);
  run->options.print(run->options.arg, ap_buf_cstr(&out), out.len);
  ap_buf_deinit(&out);
  return 0;
}

/* say(level, text): for standard error, with level "note" (nothing is wrong), "warning" or "error"
 */
static int engine_say(lua_State *L)
{
  static const char *const levels[] = {"note", "warning", "error", NULL}; /* enum script_said */
  const struct script_run *run = script_run_of(L);
  enum script_said what = (enum script_said)luaL_checkoption(L, 1, NULL, levels);
  run->options.say(run->options.arg, what, luaL_checkstring(L, 2));
  return 0;
}

/* ---- secrets ---- */

/* hide(text): a secret that was typed is wiped from where the process list shows it */
static int engine_hide(lua_State *L)
{
  const struct script_run *run = script_run_of(L);
  run->options.hide(run->options.arg, luaL_checkstring(L, 1));
  return 0;
}

/* private_file(path) -> true | nil, why it is not a file of this user alone */
static int engine_private_file(lua_State *L)
{
  struct ap_error err = {0};
  struct ap_buf bytes = {0};
  int rc = net_ssh_key_read(luaL_checkstring(L, 1), &bytes, &err);
  if (bytes.ptr)
    explicit_bzero(bytes.ptr, bytes.len);
  ap_buf_deinit(&bytes);
  if (rc != AP_OK)
    return fail(L, err.text);
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- the run ---- */

/* state() -> { refused =, unreachable =: why; answered =; stopped = "deadline" or "signal" } */
static int engine_state(lua_State *L)
{
  const struct script_run *run = script_run_of(L);
  const struct vt_client *client = run->options.client;
  lua_createtable(L, 0, 4);
  if (client) {
    lua_pushstring(L, vt_client_refusal(client));
    lua_setfield(L, -2, "refused");
    lua_pushstring(L, vt_client_unreachable(client));
    lua_setfield(L, -2, "unreachable");
    lua_pushboolean(L, vt_client_was_answered(client));
    lua_setfield(L, -2, "answered");
  }
  if (run->stopped != AP_OK) {
    lua_pushstring(L, run->stopped == AP_E_DEADLINE ? "deadline" : "signal");
    lua_setfield(L, -2, "stopped");
  }
  return 1;
}

static const luaL_Reg engine_functions[] = {
    {"action_files", engine_action_files},
    {"all", script_engine_all},
    {"call", script_engine_call},
    {"call_granted", script_engine_call_granted},
    {"goes_with", engine_goes_with},
    {"grant", script_engine_grant},
    {"hide", engine_hide},
    {"is_file", engine_is_file},
    {"load", engine_load},
    {"nearest", engine_nearest},
    {"playbook_files", engine_playbook_files},
    {"print", engine_print},
    {"private_file", engine_private_file},
    {"read_manifest_line", engine_read_manifest_line},
    {"run_case", script_engine_run_case},
    {"run_entities", script_run_entities},
    {"say", engine_say},
    {"secret", script_engine_secret},
    {"secrets", script_engine_secrets},
    {"set_of", script_engine_set_of},
    {"source", engine_source},
    {"state", engine_state},
    {"type_of", engine_type_of},
    {"web_host", engine_web_host},
    {NULL, NULL},
};

static void push_words(lua_State *L, const char *const *words, size_t count)
{
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushstring(L, words[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

void script_engine_push(lua_State *L)
{
  const struct script_run *run = script_run_of(L);
  const char *types[CASE_TYPE_COUNT];
  for (int i = 0; i < CASE_TYPE_COUNT; i++)
    types[i] = case_type_word((enum case_type)i);
  luaL_newlib(L, engine_functions);
  luaL_setfuncs(L, script_record_functions, 0);
  luaL_setfuncs(L, script_plan_functions, 0);
  luaL_setfuncs(L, script_policy_functions, 0);
  push_words(L, types, CASE_TYPE_COUNT);
  lua_setfield(L, -2, "types");
  push_words(L, capabilities, sizeof(capabilities) / sizeof(capabilities[0]));
  lua_setfield(L, -2, "capabilities");
  lua_pushliteral(L, APOGEE_VERSION);
  lua_setfield(L, -2, "version");
  if (run->options.began_unix_s) {
    lua_pushinteger(L, run->options.began_unix_s);
    lua_setfield(L, -2, "began");
  }
}
