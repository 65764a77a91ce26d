/* SQLite for Lua: require "host.sqlite". Used for the state database (infra.state), the simulated AWS's store and the
 * AWS vocabularies carried in the binary (infra.models).
 *
 *   sqlite.open(path [, { mode = "ro"|"rw"|"rwc"|"frozen", memory = bool }]) -> db | nil, err
 *                                  frozen: read-only, and nobody else writes meanwhile: a folder that cannot be written
 *                                  is enough then, also for a database in WAL mode
 *   sqlite.open_models()           -> db | nil, err   those inside the program: read-only, in place, no copy
 *   sqlite.blob(s)                 a value that binds as BLOB; plain strings bind as TEXT
 *   db:run(sql, ...)               -> number of changed rows | nil, err
 *   db:row(sql, ...)               -> { column = value } or nil when there is none | nil, err
 *   db:all(sql, ...)               -> array of rows | nil, err
 *   db:script(sql)                 -> true | nil, err   any number of statements, no parameters, no results
 *   db:transaction(fn, ...)        -> what fn returns | nil, err
 *   db:last_id(), db:busy_timeout(milliseconds), db:close()
 *
 * err.code is SQLite's primary result code ("SQLITE_BUSY"); err.message ends with the statement's first line. Columns
 * that are NULL are absent from a row; TEXT and BLOB are both strings. WAL and synchronous are the caller's choice. */
#include "host.h"
#include "statement.h"

#include <ctype.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DATABASE "infra.sqlite.database"

enum { BUSY_TIMEOUT_MS = 5000 };

/* The primary result codes are numbered without gaps. */
static const char *code_name(int code) {
  static const char *const names[] = {
      "SQLITE_OK",       "SQLITE_ERROR",      "SQLITE_INTERNAL", "SQLITE_PERM",      "SQLITE_ABORT", "SQLITE_BUSY",
      "SQLITE_LOCKED",   "SQLITE_NOMEM",      "SQLITE_READONLY", "SQLITE_INTERRUPT", "SQLITE_IOERR", "SQLITE_CORRUPT",
      "SQLITE_NOTFOUND", "SQLITE_FULL",       "SQLITE_CANTOPEN", "SQLITE_PROTOCOL",  "SQLITE_EMPTY", "SQLITE_SCHEMA",
      "SQLITE_TOOBIG",   "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_MISUSE",    "SQLITE_NOLFS", "SQLITE_AUTH",
      "SQLITE_FORMAT",   "SQLITE_RANGE",      "SQLITE_NOTADB"};
  size_t primary = (size_t)(code & 0xff);
  return primary < sizeof names / sizeof *names ? names[primary] : "SQLITE_ERROR";
}

/* nil, err from the connection's last error. `about` is SQL, of which the first line is told, or a path. The message is
 * copied first: SQLite rewrites its own when a statement is reset. */
static int fail(lua_State *L, sqlite3 *handle, const char *about) {
  char message[512];
  while (isspace((unsigned char)*about)) about++;
  snprintf(message, sizeof message, "%s: %.*s", sqlite3_errmsg(handle), (int)strcspn(about, "\n"), about);
  return host_fail(L, code_name(sqlite3_errcode(handle)), "%s", message);
}

static struct database *check_database(lua_State *L) {
  struct database *db = luaL_checkudata(L, 1, DATABASE);
  if (!db->handle) luaL_argerror(L, 1, "the database is closed");
  return db;
}

static const char *check_sql(lua_State *L) {
  size_t length;
  const char *sql = luaL_checklstring(L, 2, &length);
  luaL_argcheck(L, length == strlen(sql), 2, "NUL byte in SQL");
  return sql;
}

/* -- running SQL ------------------------------------------------------------------------------------------------ */

static int database_run(lua_State *L) {
  struct database *db = check_database(L);
  const char *sql = check_sql(L);
  sqlite3 *connection = db->handle;
  sqlite3_stmt *handle = statement_begin(L, db, sql);
  sqlite3_int64 before = sqlite3_total_changes64(connection);
  int result = handle ? SQLITE_ROW : SQLITE_ERROR;
  while (result == SQLITE_ROW) result = sqlite3_step(handle);
  if (result != SQLITE_DONE) return fail(L, connection, sql);
  /* Statements that change no row leave the count of the one before. */
  lua_pushinteger(L, sqlite3_total_changes64(connection) == before ? 0 : sqlite3_changes64(connection));
  return 1;
}

static int database_row(lua_State *L) {
  struct database *db = check_database(L);
  const char *sql = check_sql(L);
  sqlite3 *connection = db->handle;
  sqlite3_stmt *handle = statement_begin(L, db, sql);
  int result = handle ? sqlite3_step(handle) : SQLITE_ERROR;
  if (result == SQLITE_ROW) {
    int names = lua_gettop(L) + 1;
    statement_push_row(L, handle, names, statement_push_names(L, handle));
    return 1;
  }
  if (result != SQLITE_DONE) return fail(L, connection, sql);
  lua_pushnil(L);
  return 1;
}

static int database_all(lua_State *L) {
  struct database *db = check_database(L);
  const char *sql = check_sql(L);
  sqlite3 *connection = db->handle;
  sqlite3_stmt *handle = statement_begin(L, db, sql);
  int result = handle ? sqlite3_step(handle) : SQLITE_ERROR;
  if (result == SQLITE_ROW || result == SQLITE_DONE) lua_newtable(L);
  if (result == SQLITE_ROW) {
    int rows = lua_gettop(L), columns = statement_push_names(L, handle);
    for (lua_Integer n = 1; result == SQLITE_ROW; n++, result = sqlite3_step(handle)) {
      statement_push_row(L, handle, rows + 1, columns);
      lua_rawseti(L, rows, n);
    }
    lua_settop(L, rows);
  }
  if (result != SQLITE_DONE) return fail(L, connection, sql);
  return 1;
}

static int database_script(lua_State *L) {
  const struct database *db = check_database(L);
  const char *sql = check_sql(L);
  if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK) return fail(L, db->handle, sql);
  lua_pushboolean(L, 1);
  return 1;
}

/* -- transactions ----------------------------------------------------------------------------------------------- */

/* Ends the transaction if SQLite has not already done so because of an error. */
static void roll_back(const struct database *db) {
  if (db->handle && !sqlite3_get_autocommit(db->handle)) sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* Runs fn(...) between BEGIN IMMEDIATE and COMMIT. When fn throws, or returns nil and an error, everything it did is
 * undone and the error goes on to the caller. fn cannot yield: what another task did meanwhile would be part of the
 * transaction. */
static int database_transaction(lua_State *L) {
  const struct database *db = check_database(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  luaL_argcheck(L, sqlite3_get_autocommit(db->handle), 1, "a transaction is open already");
  if (sqlite3_exec(db->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
    return fail(L, db->handle, "BEGIN IMMEDIATE");
  if (lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0) != LUA_OK) {
    roll_back(db);
    return lua_error(L);
  }
  int results = lua_gettop(L) - 1;
  if (results >= 2 && lua_isnil(L, 2) && !lua_isnil(L, 3)) {
    roll_back(db);
    return results;
  }
  if (!db->handle) return luaL_error(L, "the database was closed inside its own transaction");
  if (sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
    int pushed = fail(L, db->handle, "COMMIT");
    roll_back(db);
    return pushed;
  }
  return results;
}

/* -- databases -------------------------------------------------------------------------------------------------- */

static int database_last_id(lua_State *L) {
  lua_pushinteger(L, sqlite3_last_insert_rowid(check_database(L)->handle));
  return 1;
}

static int database_busy_timeout(lua_State *L) {
  const struct database *db = check_database(L);
  sqlite3_busy_timeout(db->handle, (int)luaL_checkinteger(L, 2));
  return 0;
}

static int database_close(lua_State *L) {
  struct database *db = luaL_checkudata(L, 1, DATABASE);
  if (!db->handle) return 0;
  statement_drop_all(L, db);
  sqlite3_close_v2(db->handle); /* waits for a statement that statement_drop_all had to leave */
  db->handle = NULL;
  return 0;
}

/* A closed database on the top of the stack, with its user value in place. */
static struct database *new_database(lua_State *L) {
  struct database *db = lua_newuserdatauv(L, sizeof *db, STATEMENTS);
  *db = (struct database){0};
  lua_newtable(L);
  lua_setiuservalue(L, -2, STATEMENTS);
  luaL_setmetatable(L, DATABASE);
  return db;
}

/* Opens `path` into the database on the top of the stack and makes the connection strict. */
static int connect(struct database *db, const char *path, int flags) {
  int result = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
  if (result != SQLITE_OK) return result;
  sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
  sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
  sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL); /* "x" is a name, never a string */
  sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  return SQLITE_OK;
}

/* The database just connected: a first read tells a database from a foreign file, which is then closed. */
static int checked(lua_State *L, struct database *db, int result, const char *about) {
  if (result == SQLITE_OK) result = sqlite3_exec(db->handle, "PRAGMA schema_version", NULL, NULL, NULL);
  if (result == SQLITE_OK) return 1;
  int pushed = db->handle ? fail(L, db->handle, about) : host_fail(L, "SQLITE_NOMEM", "out of memory");
  sqlite3_close_v2(db->handle);
  db->handle = NULL;
  return pushed;
}

/* Pushes and returns SQLite's URI (sqlite.org/uri.html) for a file that nobody changes. */
static const char *push_frozen_uri(lua_State *L, const char *path) {
  luaL_Buffer uri;
  luaL_buffinit(L, &uri);
  luaL_addstring(&uri, "file:");
  for (; *path; path++) {
    char escaped[4];
    snprintf(escaped, sizeof escaped, strchr("%?#", *path) ? "%%%02X" : "%c", *path);
    luaL_addstring(&uri, escaped);
  }
  luaL_addstring(&uri, "?immutable=1");
  luaL_pushresult(&uri);
  return lua_tostring(L, -1);
}

static int sqlite_open(lua_State *L) {
  static const char *const modes[] = {"ro", "rw", "rwc", "frozen", NULL};
  static const int mode_flags[] = {SQLITE_OPEN_READONLY, SQLITE_OPEN_READWRITE,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI};
  int flags, memory;
  const char *path = luaL_optstring(L, 1, "");
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) lua_newtable(L), lua_replace(L, 2);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_getfield(L, 2, "mode");
  flags = mode_flags[luaL_checkoption(L, -1, "rwc", modes)];
  lua_getfield(L, 2, "memory");
  memory = lua_toboolean(L, -1);
  luaL_argcheck(L, memory || *path, 1, "path wanted");
  if (memory) path = ":memory:";
  if (flags & SQLITE_OPEN_URI) path = push_frozen_uri(L, path);
  struct database *db = new_database(L);
  if (!memory && flags & SQLITE_OPEN_CREATE) {
    /* A new file is its owner's alone. One that exists must not be opened here: closing it again would drop the locks
     * that this process holds on it. */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
  }
  return checked(L, db, connect(db, path, flags), path);
}

static int sqlite_open_models(lua_State *L) {
  sqlite3_int64 size = (sqlite3_int64)((uintptr_t)host_models_end - (uintptr_t)host_models);
  if (size == 0) return host_fail(L, "SQLITE_NOTADB", "there are none");
  struct database *db = new_database(L);
  int result = connect(db, ":memory:", SQLITE_OPEN_READWRITE);
  if (result == SQLITE_OK)
    result =
        sqlite3_deserialize(db->handle, "main", (unsigned char *)host_models, size, size, SQLITE_DESERIALIZE_READONLY);
  /* Memory mapping, of any size, makes SQLite use an image's pages where they are. */
  if (result == SQLITE_OK) result = sqlite3_exec(db->handle, "PRAGMA mmap_size = 1048576", NULL, NULL, NULL);
  return checked(L, db, result, "models");
}

int open_sqlite(lua_State *L) {
  static const luaL_Reg methods[] = {{"run", database_run},
                                     {"row", database_row},
                                     {"all", database_all},
                                     {"script", database_script},
                                     {"transaction", database_transaction},
                                     {"last_id", database_last_id},
                                     {"busy_timeout", database_busy_timeout},
                                     {"close", database_close},
                                     {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"open", sqlite_open}, {"open_models", sqlite_open_models}, {"blob", statement_blob}, {NULL, NULL}};
  sqlite3_config(SQLITE_CONFIG_URI, 0); /* Debian's default would read a path "file:x?..." as a URI */
  host_new_class(L, DATABASE, methods, database_close);
  statement_open(L);
  luaL_newlib(L, functions);
  return 1;
}
