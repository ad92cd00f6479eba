// SPDX-License-Identifier: Apache-2.0
#include "script/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/folder.h"
#include "script/embedded.h"

enum { OUTPUT_MAX_BYTES = 64 << 20 };

/* ---- modules of the program ---- */

static const struct script_module *find_module(const char *name)
{
  const struct script_module *module = script_embedded;
  while (module->name && strcmp(module->name, name) != 0)
    module++;
  return module->name ? module : NULL;
}

/* A searcher of `require`. */
static int search(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);
  const struct script_module *module = find_module(name);
  if (!module) {
    lua_pushfstring(L, "no module '%s' of apogee", name);
    return 1;
  }
  if (luaL_loadbuffer(L, module->code, module->len, module->name) != LUA_OK)
    return lua_error(L);
  lua_pushvalue(L, 1);
  return 2;
}

/* Ours come first. [-0, +0, m] */
static void add_searcher(lua_State *L)
{
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "insert");
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  lua_replace(L, -2);
  lua_pushinteger(L, 2); /* behind package.preload */
  lua_pushcfunction(L, search);
  lua_call(L, 3, 0);
  lua_pop(L, 1);
}

/* ---- signals: the first lets what is under way end in order, the second ends at once ---- */

static volatile sig_atomic_t signal_number;

static void caught(int number)
{
  signal_number = number;
}

/* One that is ignored stays so: nohup. */
static void catch_signals(void)
{
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action = {.sa_handler = caught, .sa_flags = (int)SA_RESETHAND};
  struct sigaction before;
  (void)sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
    if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
      (void)sigaction(numbers[i], &action, NULL);
}

/* ---- run ---- */

/* Texts of a list, ended by NULL; the list keeps them, also those that were numbers. */
static const char **texts_at(lua_State *L, int index)
{
  lua_Integer count = luaL_len(L, index);
  const char **texts = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof(*texts), 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, index, i);
    texts[i - 1] = luaL_checkstring(L, -1);
    lua_seti(L, index, i);
  }
  texts[count] = NULL;
  return texts;
}

static void push_end(lua_State *L, const struct ap_child_end *end, struct ap_buf *out,
                     struct ap_buf *err_out)
{
  lua_newtable(L);
  lua_pushlstring(L, ap_buf_cstr(out), out->len);
  lua_setfield(L, -2, "out");
  lua_pushlstring(L, ap_buf_cstr(err_out), err_out->len);
  lua_setfield(L, -2, "err");
  lua_pushinteger(L, end->signal_number ? end->signal_number : end->exit_code);
  lua_setfield(L, -2, end->signal_number ? "signal" : "exit");
  lua_pushboolean(L, end->was_late);
  lua_setfield(L, -2, "late");
}

/* make_folder(path) -> true, or nil and why not */
static int make_folder(lua_State *L)
{
  int error = ap_folder_make(luaL_checkstring(L, 1));
  if (!error) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, strerror(error));
  return 2;
}

static int make_temporary(lua_State *L)
{
  const char *parent = getenv("TMPDIR");
  luaL_Buffer path;
  luaL_buffinit(L, &path);
  luaL_addstring(&path, parent && *parent ? parent : "/tmp");
  luaL_addstring(&path, "/apogee-test-XXXXXX");
  luaL_addchar(&path, '\0');
  char *made = mkdtemp(luaL_buffaddr(&path));
  if (made) {
    lua_pushstring(L, made);
    return 1;
  }
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", luaL_buffaddr(&path), strerror(errno));
  return 2;
}

/* is_there(path) -> whether something has that name, also a link that leads nowhere */
static int is_there(lua_State *L)
{
  struct stat st;
  lua_pushboolean(L, lstat(luaL_checkstring(L, 1), &st) == 0);
  return 1;
}

/* Whether all of the text is in a file that was not there; else errno says why not. */
static bool put_new(const char *path, const char *text, size_t len)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0)
    return false;
  FILE *file = fdopen(fd, "wb");
  if (!file) {
    (void)close(fd);
    return false;
  }
  bool is_whole = fwrite(text, 1, len, file) == len;
  return fclose(file) == 0 && is_whole;
}

/* write_new(path, text) -> true, or nil and why not */
static int write_new(lua_State *L)
{
  size_t len;
  const char *path = luaL_checkstring(L, 1);
  const char *text = luaL_checklstring(L, 2, &len);
  if (put_new(path, text, len)) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, strerror(errno));
  return 2;
}

static int run(lua_State *L)
{
  enum { MS = 1000 };
  struct ap_child_end end = {0};
  struct ap_error err = {0};
  struct ap_buf out = {.max = OUTPUT_MAX_BYTES};
  struct ap_buf err_out = {.max = OUTPUT_MAX_BYTES};
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 4);
  struct ap_child child = {.limit_ms = (uint64_t)luaL_checkinteger(L, 4) * MS,
                           .stop = &signal_number};
  child.input.ptr = luaL_optlstring(L, 3, "", &child.input.len);
  child.argv = texts_at(L, 1);
  child.envp = lua_isnil(L, 2) ? (const char *const *)environ : texts_at(L, 2);
  int rc = signal_number ? AP_E_CANCELED : ap_child_run(&child, &out, &err_out, &end, &err);
  if (signal_number)
    rc = ap_fail(&err, AP_E_CANCELED, "interrupted");
  if (rc == AP_OK)
    push_end(L, &end, &out, &err_out);
  ap_buf_deinit(&out);
  ap_buf_deinit(&err_out);
  if (rc == AP_OK)
    return 1;
  lua_pushnil(L);
  lua_pushstring(L, err.text);
  return 2;
}

/* ---- the state ---- */

/* Of what a line raised; what was raised for people says all there is to say. */
static int add_traceback(lua_State *L)
{
  const char *message = lua_tostring(L, 1);
  if (message && !strstr(message, ".lua:"))
    return 1;
  luaL_traceback(L, L, message ? message : luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

static const luaL_Reg functions[] = {
    {"is_there", is_there}, {"make_folder", make_folder}, {"make_temporary", make_temporary},
    {"run", run},           {"write_new", write_new},     {NULL, NULL},
};

static void push_given(lua_State *L, const struct script_trusted *trusted)
{
  lua_newtable(L);
  lua_pushstring(L, trusted->engine);
  lua_setfield(L, -2, "engine");
  luaL_setfuncs(L, functions, 0);
  lua_newtable(L);
  for (size_t i = 0; i < trusted->word_count; i++) {
    lua_pushstring(L, trusted->words[i]);
    lua_seti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "words");
  for (size_t i = 0; i < trusted->option_count; i++) {
    const char *value = trusted->options[2 * i + 1];
    if (value)
      lua_pushstring(L, value);
    else
      lua_pushboolean(L, 1);
    lua_setfield(L, -2, trusted->options[2 * i]);
  }
}

/* (trusted) -> exit code, message or nil */
static int start(lua_State *L)
{
  const struct script_trusted *trusted = lua_touserdata(L, 1);
  luaL_openlibs(L);
  add_searcher(L);
  lua_getglobal(L, "require");
  lua_pushstring(L, trusted->module);
  lua_call(L, 1, 1);
  push_given(L, trusted);
  lua_call(L, 1, 2);
  return 2;
}

int script_trusted_run(const struct script_trusted *trusted, int *exit_code, struct ap_error *err)
{
  lua_State *L = luaL_newstate();
  if (!L)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  catch_signals();
  lua_pushcfunction(L, add_traceback);
  lua_pushcfunction(L, start);
  lua_pushlightuserdata(L, (void *)(uintptr_t)trusted);
  int rc = AP_OK;
  if (lua_pcall(L, 1, 2, 1) != LUA_OK) {
    rc = ap_fail(err, AP_E_INVALID, "%s", lua_tostring(L, -1));
  } else {
    *exit_code = (int)lua_tointeger(L, -2);
    if (lua_isstring(L, -1))
      (void)ap_fail(err, AP_OK, "%s", lua_tostring(L, -1));
  }
  lua_close(L);
  if (signal_number) {
    (void)fflush(NULL);
    (void)raise(signal_number); /* nobody catches it any more */
  }
  return rc;
}
