/* The one shape of failure at the C/Lua boundary; see host.h. Used by every primitive. */
#include "host.h"

#include <stdarg.h>
#include <string.h>

int host_fail(lua_State *L, const char *code, const char *format, ...) {
  va_list arguments;
  luaL_checkstack(L, 8, "error");
  lua_pushnil(L);
  lua_createtable(L, 0, 2);
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_setfield(L, -2, "message");
  luaL_setmetatable(L, INFRA_ERROR);
  return 2;
}

int host_fail_errno(lua_State *L, int error, const char *what) {
  const char *name = strerrorname_np(error);
  return host_fail(L, name ? name : "EUNKNOWN", "%s: %s", what, strerror(error));
}

void host_new_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction finalise) {
  if (!luaL_newmetatable(L, name)) {
    lua_pop(L, 1);
    return;
  }
  if (methods) {
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
  }
  if (finalise) {
    lua_pushcfunction(L, finalise);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, finalise);
    lua_setfield(L, -2, "__close");
  }
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable"); /* scripts cannot reach the finaliser through getmetatable */
  lua_pop(L, 1);
}
