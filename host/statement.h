/* Prepared statements for sqlite.c: made from SQL text, cached, bound, reset, and their rows as Lua tables. */
#ifndef INFRA_STATEMENT_H
#define INFRA_STATEMENT_H

#include <lua.h>
#include <sqlite3.h>

/* An open database, a userdata; its user value STATEMENTS is the cache, a table of statements by SQL text. */
struct database {
  sqlite3 *handle; /* NULL when closed */
  int statements;  /* how many the cache holds */
};
enum { STATEMENTS = 1 };

/* To be called once for each Lua state. */
void statement_open(lua_State *L);

/* Lua's sqlite.blob(s): a value that binds as BLOB. */
int statement_blob(lua_State *L);

/* For a method of the database at stack index 1: the statement for `sql`, which is at index 2, bound to the arguments
 * from index 3 on. It is left on the stack as a to-be-closed value, so that it is reset when the method returns or
 * throws. Throws for wrong use; NULL when SQLite refuses. To be stepped at once: until it runs, code in a finaliser
 * that asks for the same SQL gets the same statement. */
sqlite3_stmt *statement_begin(lua_State *L, struct database *db, const char *sql);

/* Pushes the names of the columns of the statement's current row and returns their number. Not earlier: the first step
 * may compile a statement anew, and one that does not run can go with statement_drop_all. */
int statement_push_names(lua_State *L, sqlite3_stmt *handle);

/* Pushes the current row as a table; `names` is the stack index of the first column's name. */
void statement_push_row(lua_State *L, sqlite3_stmt *handle, int names, int columns);

/* Empties the cache of the database at stack index 1 and finalises its statements, except one that is running: code in
 * a finaliser may have interrupted the method that runs it. */
void statement_drop_all(lua_State *L, struct database *db);

#endif
