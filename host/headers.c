/* HTTP header fields in Lua; see headers.h. */
#include "headers.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

void headers_add(lua_State *L, const char *name, const char *value) {
  luaL_Buffer lower;
  luaL_buffinit(L, &lower);
  for (const char *c = name; *c; c++) luaL_addchar(&lower, *c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
  luaL_pushresult(&lower);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL)
    lua_pushstring(L, value);
  else
    lua_pushfstring(L, "%s, %s", lua_tostring(L, -1), value);
  lua_remove(L, -2);
  lua_rawset(L, -3);
}

/* No NUL either: what C sees is the whole string. */
static bool is_free_of(lua_State *L, int index, const char *unwanted) {
  size_t size;
  const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &size) : NULL;
  return text && strcspn(text, unwanted) == size;
}

void headers_check(lua_State *L, int arg, int name, int value) {
  if (!is_free_of(L, name, "\r\n\t :") || lua_rawlen(L, name) == 0) luaL_argerror(L, arg, "not a header's name");
  if (!is_free_of(L, value, "\r\n"))
    luaL_argerror(L, arg, lua_pushfstring(L, "not a value for the header %s", lua_tostring(L, name)));
}
