#include "host.h"

int open_crypto(lua_State *L) {
  lua_newtable(L);
  return 1;
}
