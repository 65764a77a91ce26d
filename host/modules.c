/* What is compiled into the binary besides C: Lua modules and data files (embed.sh). Gives `require` the primitives and
 * the modules, and host.modules the files' texts.
 *
 * INFRA_LUA=DIR loads Lua modules from a source tree instead of the ones compiled in, for work on infra itself. */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* embed.sh sorts the table by name. */
static const struct host_module *find(const char *name) {
  size_t low = 0, high = host_modules_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(name, host_modules[middle].name);
    if (order == 0) return &host_modules[middle];
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

/* Pushes the path of DIR/<name>.lua or DIR/<name>/init.lua, whichever is there, or returns 0. */
static int find_in_tree(lua_State *L, const char *tree, const char *name) {
  static const char *const forms[] = {"%s/%s.lua", "%s/%s/init.lua"};
  const char *relative = luaL_gsub(L, name, ".", "/");
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    const char *path = lua_pushfstring(L, forms[i], tree, relative);
    FILE *file = fopen(path, "r");
    if (file) {
      fclose(file);
      return 1;
    }
  }
  return 0;
}

/* package.searchers entry. Upvalue 1: the tree to load from, or nil. */
static int search(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const char *tree = lua_tostring(L, lua_upvalueindex(1));

  if (strncmp(name, "host.", 5) == 0)
    for (const struct host_primitive *p = host_primitives; p->name; p++)
      if (strcmp(p->name, name + 5) == 0) {
        lua_pushcfunction(L, p->open);
        lua_pushfstring(L, "host/%s.c", p->name);
        return 2;
      }
  if (tree && find_in_tree(L, tree, name)) {
    const char *path = lua_tostring(L, -1);
    if (luaL_loadfile(L, path) != LUA_OK) return lua_error(L);
    lua_pushstring(L, path);
    return 2;
  }
  const struct host_module *module = find(name);
  if (!module) {
    lua_pushfstring(L, "no module '%s' in the binary", name);
    return 1;
  }
  lua_pushfstring(L, "@%s", module->path);
  if (luaL_loadbuffer(L, (const char *)module->data, (size_t)(module->end - module->data), lua_tostring(L, -1)) !=
      LUA_OK)
    return lua_error(L);
  lua_pushstring(L, module->path);
  return 2;
}

/* text(name) -> the embedded file called `name` as a string, or nil. */
static int text(lua_State *L) {
  const struct host_module *module = find(luaL_checkstring(L, 1));
  if (!module) return 0;
  lua_pushlstring(L, (const char *)module->data, (size_t)(module->end - module->data));
  return 1;
}

int open_modules(lua_State *L) {
  static const luaL_Reg functions[] = {{"text", text}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

void modules_install(lua_State *L) {
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
  lua_pushcclosure(L, search, 1);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}
