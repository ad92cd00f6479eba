/* A program of the build: parses the Lua modules that are part of Apogee and writes what the parser
 * made of them as a table of C (script/embedded.h), so that no start of Apogee parses them again.
 *
 *   apogee_embed OUT ROOT FILE...
 *
 * A module's name is its path below ROOT with dots: lua/apogee/threshold.lua is apogee.threshold.
 * It is linked with the very Lua that loads them. */
// SPDX-License-Identifier: Apache-2.0
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static FILE *out;
static size_t column;

static int write_bytes(lua_State *L, const void *bytes, size_t len, void *arg)
{
  enum { LINE = 20 };
  const unsigned char *byte = bytes;
  (void)L;
  (void)arg;
  for (size_t i = 0; i < len; i++)
    if (fprintf(out, "%u,%s", byte[i], ++column % LINE ? "" : "\n") < 0)
      return 1;
  return 0;
}

/* apogee/threshold.lua below the root */
static const char *path_below(const char *root, const char *file)
{
  size_t len = strlen(root);
  return strncmp(file, root, len) == 0 && file[len] == '/' ? file + len + 1 : NULL;
}

/* The path without .lua and with dots. */
static int name_of(const char *path, char *name, size_t size)
{
  size_t len = strlen(path);
  if (len < 5 || len - 4 >= size || strcmp(path + len - 4, ".lua") != 0)
    return -1;
  for (size_t i = 0; i < len - 4; i++)
    name[i] = path[i];
  name[len - 4] = '\0';
  for (char *c = name; *c; c++)
    if (*c == '/')
      *c = '.';
  return 0;
}

static int read_file(const char *file, luaL_Buffer *text)
{
  FILE *in = fopen(file, "rb");
  if (!in)
    return -1;
  size_t got;
  do {
    got = fread(luaL_prepbuffer(text), 1, LUAL_BUFFERSIZE, in);
    luaL_addsize(text, got);
  } while (got);
  int code = ferror(in) ? -1 : 0;
  return fclose(in) ? -1 : code;
}

/* Leaves the function on the stack. */
static int parse(lua_State *L, const char *file, const char *path)
{
  luaL_Buffer text;
  size_t len;
  luaL_buffinit(L, &text);
  if (read_file(file, &text))
    return luaL_error(L, "%s: cannot be read", file);
  luaL_pushresult(&text);
  const char *source = lua_tolstring(L, -1, &len);
  const char *chunk = lua_pushfstring(L, "@%s", path); /* as messages name it */
  if (luaL_loadbufferx(L, source, len, chunk, "t") != LUA_OK)
    return lua_error(L);
  return 0;
}

static int embed(lua_State *L, const char *root, const char *file, int index)
{
  const char *path = path_below(root, file);
  char name[128];
  if (!path || name_of(path, name, sizeof(name)))
    return luaL_error(L, "%s: not a module below %s", file, root);
  (void)parse(L, file, path);
  column = 0;
  int failed = fprintf(out, "static const unsigned char code_%d[] = {\n", index) < 0 ||
               lua_dump(L, write_bytes, NULL, 0) || fputs("};\n", out) < 0;
  lua_settop(L, 3);
  return failed ? luaL_error(L, "%s: the table could not be written", file) : 0;
}

static int write_names(const char *root, char **files, int count)
{
  char name[128];
  if (fputs("\nconst struct script_module script_embedded[] = {\n", out) < 0)
    return -1;
  for (int i = 0; i < count; i++)
    if (name_of(path_below(root, files[i]), name, sizeof(name)) ||
        fprintf(out, "    {\"%s\", (const char *)code_%d, sizeof(code_%d)},\n", name, i, i) < 0)
      return -1;
  return fputs("    {0},\n};\n", out) < 0 ? -1 : 0;
}

/* (root, files, count) */
static int embed_all(lua_State *L)
{
  const char *root = lua_touserdata(L, 1);
  char **files = lua_touserdata(L, 2);
  int count = (int)lua_tointeger(L, 3);
  if (fputs("/* Made by apogee_embed. */\n#include \"script/embedded.h\"\n\n", out) < 0)
    return luaL_error(L, "the table could not be written");
  for (int i = 0; i < count; i++)
    (void)embed(L, root, files[i], i);
  return write_names(root, files, count) ? luaL_error(L, "the table could not be written") : 0;
}

int main(int argc, char **argv)
{
  lua_State *L = luaL_newstate();
  if (argc < 4 || !L || !(out = fopen(argv[1], "w"))) {
    (void)fprintf(stderr, "apogee_embed OUT ROOT FILE...\n");
    return 2;
  }
  lua_pushcfunction(L, embed_all);
  lua_pushlightuserdata(L, argv[2]);
  lua_pushlightuserdata(L, (void *)(argv + 3));
  lua_pushinteger(L, argc - 3);
  int code = lua_pcall(L, 3, 0, 0);
  if (code != LUA_OK)
    (void)fprintf(stderr, "apogee_embed: %s\n", lua_tostring(L, -1));
  lua_close(L);
  if (fclose(out))
    code = 1;
  if (code != LUA_OK)
    (void)remove(argv[1]);
  return code != LUA_OK;
}
