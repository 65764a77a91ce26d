#include "host.h"

int open_compress(lua_State *L) {
  lua_newtable(L);
  return 1;
}
