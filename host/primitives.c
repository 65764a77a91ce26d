/* The list of everything that C gives to Lua. A new primitive is one file and one line here. */
#include "host.h"

#define PRIMITIVES(X)                                                                                                  \
  X(clock)                                                                                                             \
  X(compress)                                                                                                          \
  X(crypto)                                                                                                            \
  X(fs)                                                                                                                \
  X(http)                                                                                                              \
  X(json)                                                                                                              \
  X(loop)                                                                                                              \
  X(modules)                                                                                                           \
  X(process)                                                                                                           \
  X(server)                                                                                                            \
  X(sigv4)                                                                                                             \
  X(sqlite)                                                                                                            \
  X(tty)                                                                                                               \
  X(xml)

#define DECLARE(name) int open_##name(lua_State *L);
PRIMITIVES(DECLARE)

#define ENTRY(name) {#name, open_##name},
const struct host_primitive host_primitives[] = {PRIMITIVES(ENTRY){NULL, NULL}};
