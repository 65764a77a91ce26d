/* The infra binary: one Lua state with the host's primitives and the embedded Lua modules, handed to infra.cli. */
#include "host.h"

#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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
  modules_install(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "infra.cli");
  lua_call(L, 1, 1);
  lua_createtable(L, argc, 0);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
  lua_pushliteral(L, INFRA_VERSION);
  lua_setfield(L, -2, "version");
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
