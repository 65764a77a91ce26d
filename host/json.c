#include "host.h"

int open_json(lua_State *L) {
  lua_newtable(L);
  return 1;
}
