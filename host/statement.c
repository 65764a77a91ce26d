/* Prepared statements; see statement.h. */
#include "statement.h"
#include "host.h"

#include <math.h>
#include <string.h>

#define STATEMENT "infra.sqlite.statement"
#define BLOB "infra.sqlite.blob"

enum { MAX_STATEMENTS = 128 };

struct statement {
  sqlite3_stmt *handle; /* NULL when finalised */
};

static int statement_gc(lua_State *L) {
  struct statement *statement = lua_touserdata(L, 1);
  sqlite3_finalize(statement->handle);
  statement->handle = NULL;
  return 0;
}

/* End of one use, however it ends: the bound strings belong to that call's arguments. */
static int statement_close(lua_State *L) {
  const struct statement *statement = lua_touserdata(L, 1);
  if (!statement->handle) return 0;
  sqlite3_reset(statement->handle);
  sqlite3_clear_bindings(statement->handle);
  return 0;
}

void statement_drop_all(lua_State *L, struct database *db) {
  lua_getiuservalue(L, 1, STATEMENTS);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    struct statement *statement = lua_touserdata(L, -1);
    if (!sqlite3_stmt_busy(statement->handle)) {
      sqlite3_finalize(statement->handle);
      statement->handle = NULL;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  lua_newtable(L);
  lua_setiuservalue(L, 1, STATEMENTS);
  db->statements = 0;
}

/* Binds the argument at `index`, without a copy: it outlives the binding. Returns SQLite's result. */
static int bind(lua_State *L, sqlite3_stmt *handle, int parameter, int index) {
  size_t length;
  const char *bytes;
  switch (lua_type(L, index)) {
  case LUA_TNIL:
  case LUA_TLIGHTUSERDATA: /* json.null, the only one that Lua ever sees */
    return sqlite3_bind_null(handle, parameter);
  case LUA_TBOOLEAN:
    return sqlite3_bind_int(handle, parameter, lua_toboolean(L, index));
  case LUA_TNUMBER:
    luaL_argcheck(L, !isnan(lua_tonumber(L, index)), index, "NaN cannot be stored");
    if (lua_isinteger(L, index)) return sqlite3_bind_int64(handle, parameter, lua_tointeger(L, index));
    return sqlite3_bind_double(handle, parameter, lua_tonumber(L, index));
  case LUA_TSTRING:
    bytes = lua_tolstring(L, index, &length);
    return sqlite3_bind_text64(handle, parameter, bytes, length, SQLITE_STATIC, SQLITE_UTF8);
  default:
    luaL_checkudata(L, index, BLOB);
    lua_getiuservalue(L, index, 1);
    bytes = lua_tolstring(L, -1, &length);
    lua_pop(L, 1); /* the blob keeps it */
    return sqlite3_bind_blob64(handle, parameter, bytes, length, SQLITE_STATIC);
  }
}

/* Compiles `sql` into a statement userdata on the top of the stack and caches it. NULL when SQLite refuses. */
static sqlite3_stmt *prepare(lua_State *L, struct database *db, const char *sql) {
  const char *rest;
  struct statement *statement = lua_newuserdatauv(L, sizeof *statement, 0);
  statement->handle = NULL;
  luaL_setmetatable(L, STATEMENT);
  if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->handle, &rest) != SQLITE_OK)
    return NULL;
  luaL_argcheck(L, statement->handle, 2, "no statement");
  luaL_argcheck(L, rest[strspn(rest, "; \t\r\n")] == '\0', 2, "more than one statement (db:script takes many)");
  if (db->statements >= MAX_STATEMENTS) statement_drop_all(L, db);
  lua_getiuservalue(L, 1, STATEMENTS);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -3);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  db->statements++;
  return statement->handle;
}

sqlite3_stmt *statement_begin(lua_State *L, struct database *db, const char *sql) {
  int arguments = lua_gettop(L) - 2;
  sqlite3_stmt *handle;

  lua_getiuservalue(L, 1, STATEMENTS);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  const struct statement *cached = lua_touserdata(L, -1);
  if (cached && !sqlite3_stmt_busy(cached->handle)) {
    handle = cached->handle;
  } else {
    lua_pop(L, 1);
    handle = prepare(L, db, sql);
    if (!handle) return NULL;
  }
  lua_toclose(L, -1);
  if (arguments != sqlite3_bind_parameter_count(handle))
    luaL_error(L, "%d parameters given, %d wanted by: %s", arguments, sqlite3_bind_parameter_count(handle), sql);
  for (int i = 1; i <= arguments; i++)
    if (bind(L, handle, i, i + 2) != SQLITE_OK) return NULL;
  return handle;
}

int statement_push_names(lua_State *L, sqlite3_stmt *handle) {
  int columns = sqlite3_column_count(handle);
  luaL_checkstack(L, columns + 4, "too many columns");
  for (int i = 0; i < columns; i++) lua_pushstring(L, sqlite3_column_name(handle, i));
  return columns;
}

static void push_column(lua_State *L, sqlite3_stmt *handle, int column) {
  int type = sqlite3_column_type(handle, column);
  const void *bytes;
  switch (type) {
  case SQLITE_INTEGER:
    lua_pushinteger(L, sqlite3_column_int64(handle, column));
    return;
  case SQLITE_FLOAT:
    lua_pushnumber(L, sqlite3_column_double(handle, column));
    return;
  case SQLITE_NULL:
    lua_pushnil(L);
    return;
  default: /* an empty BLOB has no address */
    bytes = type == SQLITE_TEXT ? sqlite3_column_text(handle, column) : sqlite3_column_blob(handle, column);
    lua_pushlstring(L, bytes ? bytes : "", (size_t)sqlite3_column_bytes(handle, column));
  }
}

void statement_push_row(lua_State *L, sqlite3_stmt *handle, int names, int columns) {
  lua_createtable(L, 0, columns);
  for (int i = 0; i < columns; i++) {
    lua_pushvalue(L, names + i);
    push_column(L, handle, i);
    lua_rawset(L, -3);
  }
}

int statement_blob(lua_State *L) {
  luaL_checktype(L, 1, LUA_TSTRING);
  lua_newuserdatauv(L, 0, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, BLOB);
  return 1;
}

void statement_open(lua_State *L) {
  host_new_class(L, BLOB, NULL, NULL);
  host_new_class(L, STATEMENT, NULL, statement_gc);
  luaL_getmetatable(L, STATEMENT);
  lua_pushcfunction(L, statement_close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
