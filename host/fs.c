#include "host.h"

int open_fs(lua_State *L) {
  lua_newtable(L);
  return 1;
}
