#include "host.h"

int open_clock(lua_State *L) {
  lua_newtable(L);
  return 1;
}
