/* HTTP header fields as Lua sees them: { lower_name = value }. Used by http.c and server.c. */
#ifndef INFRA_HEADERS_H
#define INFRA_HEADERS_H

#include <lua.h>

/* Adds a field to the table on top of the stack; a repeated one is joined by ", ". */
void headers_add(lua_State *L, const char *name, const char *value);

/* Throws an error about argument `arg` unless the strings at these two indices can be a field's name and value: nothing
 * that would begin another line. */
void headers_check(lua_State *L, int arg, int name, int value);

#endif
