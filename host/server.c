#include "host.h"

int open_server(lua_State *L) {
  lua_newtable(L);
  return 1;
}
