/* The options of sftp.open, which bind_sftp.c documents, from Lua. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "script/files.h"
#include "script/host_private.h"
#include "script/secret.h"

enum { CONNECT_MS = 30000, WAIT_MS = 60000, MIN_RATE = 1024, PORT_MAX = 65535 };

struct field {
  const char *name;
  enum { TEXT, SECRET, PORT, FLAG } type;
};

static const struct field fields[] = {
    {"agent", FLAG},
    {"host", TEXT},
    {"host_key", TEXT},
    {"key", TEXT},
    {"key_passphrase", SECRET},
    {"known_hosts", TEXT},
    {"password", SECRET},
    {"port", PORT},
    {"user", TEXT},
};
enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

int script_sftp_take_fields(lua_State *L, int arg)
{
  int first = lua_gettop(L) + 1;
  luaL_checktype(L, arg, LUA_TTABLE);
  luaL_checkstack(L, FIELD_COUNT + 4, NULL);
  for (int i = 0; i < FIELD_COUNT; i++) {
    lua_pushstring(L, fields[i].name);
    (void)lua_rawget(L, arg);
  }
  lua_pushnil(L);
  while (lua_next(L, arg)) {
    lua_pop(L, 1);
    bool is_known = false;
    for (int i = 0; i < FIELD_COUNT && lua_type(L, -1) == LUA_TSTRING; i++)
      is_known = is_known || strcmp(fields[i].name, lua_tostring(L, -1)) == 0;
    if (!is_known)
      luaL_error(L, "sftp.open: unknown option \"%s\"", luaL_tolstring(L, -1, NULL));
  }
  return first;
}

static const char *text_at(lua_State *L, int first, int field)
{
  size_t len;
  int index = first + field;
  if (lua_isnil(L, index))
    return NULL;
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_error(L, "sftp.open: %s must be a text", fields[field].name);
  const char *text = lua_tolstring(L, index, &len);
  if (len == 0 || strlen(text) != len)
    luaL_error(L, "sftp.open: %s is empty, or has a NUL character", fields[field].name);
  return text;
}

static const struct ap_secret *secret_in(lua_State *L, int first, int field)
{
  if (lua_isnil(L, first + field))
    return NULL;
  const struct ap_secret *secret = script_secret_at(L, first + field);
  if (!secret)
    luaL_error(L, "sftp.open: %s must be a secret's handle", fields[field].name);
  return secret;
}

static unsigned port_at(lua_State *L, int first, int field)
{
  int is_integer;
  if (lua_isnil(L, first + field))
    return 0;
  lua_Integer port = lua_tointegerx(L, first + field, &is_integer);
  if (!is_integer || port < 1 || port > PORT_MAX)
    luaL_error(L, "sftp.open: port must be 1 to 65535");
  return (unsigned)port;
}

void script_sftp_read_options(lua_State *L, int first, struct net_sftp_options *options)
{
  *options = (struct net_sftp_options){
      .use_agent = lua_toboolean(L, first),
      .host = text_at(L, first, 1),
      .host_key = text_at(L, first, 2),
      .key_file = text_at(L, first, 3),
      .key_passphrase = secret_in(L, first, 4),
      .known_hosts = text_at(L, first, 5),
      .password = secret_in(L, first, 6),
      .port = port_at(L, first, 7),
      .user = text_at(L, first, 8),
      .connect_ms = CONNECT_MS,
      .wait_ms = WAIT_MS,
      .min_rate = MIN_RATE,
  };
  if (!options->host || !options->user)
    luaL_error(L, "sftp.open: host and user are required");
}

static void add_to_key(struct ap_buf *key, const char *text)
{
  ap_buf_add_str(key, text ? text : "");
  ap_buf_add_char(key, '\0');
}

/* The same secret is at one address as long as the run lives. */
void script_sftp_write_key(const struct net_sftp_options *options, struct ap_buf *key)
{
  add_to_key(key, options->host);
  add_to_key(key, options->user);
  add_to_key(key, options->key_file);
  add_to_key(key, options->known_hosts);
  add_to_key(key, options->host_key);
  ap_buf_add_fmt(key, "%u %d %p %p", options->port, options->use_agent,
                 (const void *)options->password, (const void *)options->key_passphrase);
  if (ap_buf_error(key))
    script_out_of_memory();
}
