#include "host.h"

int open_http(lua_State *L) {
  lua_newtable(L);
  return 1;
}
