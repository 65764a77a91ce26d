#include "host.h"

int open_loop(lua_State *L) {
  lua_newtable(L);
  return 1;
}
