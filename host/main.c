/* The infra binary: one Lua state with the host's primitives and the embedded Lua modules, handed to infra.cli.
 *
 * INFRA_LUA=DIR loads the modules from a source tree instead of the ones compiled in, for work on infra itself. */
#include "host.h"

#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* package.searchers entry for "host.*" and "infra.*". Upvalue 1: the tree to load from, or nil. */
static int search_modules(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const char *tree = lua_tostring(L, lua_upvalueindex(1));
  size_t low = 0, high = host_modules_count;

  if (strncmp(name, "host.", 5) == 0)
    for (const struct host_primitive *p = host_primitives; p->name; p++)
      if (strcmp(p->name, name + 5) == 0) {
        lua_pushcfunction(L, p->open);
        lua_pushfstring(L, "host/%s.c", p->name);
        return 2;
      }
  if (tree) {
    const char *relative = luaL_gsub(L, name, ".", "/");
    const char *found = NULL;
    for (const char *const *form = (const char *const[]){"%s/%s.lua", "%s/%s/init.lua", NULL}; *form && !found; form++) {
      const char *path = lua_pushfstring(L, *form, tree, relative);
      FILE *file = fopen(path, "r");
      if (file) {
        fclose(file);
        found = path;
      }
    }
    if (found) {
      if (luaL_loadfile(L, found) != LUA_OK) return lua_error(L);
      lua_pushstring(L, found);
      return 2;
    }
  }
  while (low < high) { /* embed.sh sorts the table by name */
    size_t middle = low + (high - low) / 2;
    const struct host_module *m = &host_modules[middle];
    int order = strcmp(name, m->name);
    if (order == 0) {
      lua_pushfstring(L, "@%s", m->path);
      if (luaL_loadbuffer(L, (const char *)m->data, (size_t)(m->end - m->data), lua_tostring(L, -1)) != LUA_OK)
        return lua_error(L);
      lua_pushstring(L, m->path);
      return 2;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  lua_pushfstring(L, "no module '%s' in the binary", name);
  return 1;
}

/* Gives `require` the embedded modules first; stacks and specs may add paths of their own to package.path. */
static void install_searcher(lua_State *L) {
  lua_getglobal(L, "package");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "path");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) { /* after preload */
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  const char *tree = getenv("INFRA_LUA");
  lua_pushstring(L, tree && *tree ? tree : NULL);
  lua_pushcclosure(L, search_modules, 1);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}

static int traceback(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

/* Protected main: argv as light userdata, argc; returns the exit code. */
static int run(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  luaL_openlibs(L);
  luaL_newmetatable(L, INFRA_ERROR);
  lua_pop(L, 1);
  install_searcher(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "infra.cli");
  lua_call(L, 1, 1);
  lua_createtable(L, argc, 0);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
  lua_call(L, 1, 1);
  return 1;
}

int main(int argc, char **argv) {
  /* Secrets live in this process's memory: no core dumps, no attaching by other processes of the same user. */
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
#ifndef INFRA_SANITIZED
  prctl(PR_SET_DUMPABLE, 0);
#endif
  lua_State *L = luaL_newstate();
  if (!L) {
    fputs("infra: out of memory\n", stderr);
    return 1;
  }
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, run);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  int code = 1;
  if (lua_pcall(L, 2, 1, 1) == LUA_OK) {
    code = (int)lua_tointeger(L, -1);
  } else {
    const char *message = luaL_tolstring(L, -1, NULL);
    fprintf(stderr, "infra: internal error: %s\n", message);
  }
  lua_close(L);
  return code;
}
