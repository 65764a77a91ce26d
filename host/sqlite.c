#include "host.h"

int open_sqlite(lua_State *L) {
  lua_newtable(L);
  return 1;
}
