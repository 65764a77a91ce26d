/* The host's shared declarations: how a primitive is registered and how it reports failure.
 *
 * Every primitive is one C file that builds one Lua table; primitives.c lists them all. A primitive never knows about
 * AWS (sigv4.c excepted) and never calls exit(). The network and other programs are waited for in loop.wait only. What
 * blocks, and every request with it, is the disk (fs, sqlite, also for a lock of another process) and who types (tty).
 *
 * Failure has one convention. A wrong argument throws (luaL_argerror). An operation that can fail returns nil and an
 * error table { code = "...", message = "..." } whose metatable is INFRA_ERROR, the one that lua/infra/errors.lua
 * completes. */
#ifndef INFRA_HOST_H
#define INFRA_HOST_H

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

#define INFRA_ERROR "infra.error"

/* Pushes nil and an error table, returns 2: `return host_fail(L, "ENOENT", "%s: no such file", path);`
 * The format is lua_pushfstring's (%s %d %I %f %p %c %U %%). */
int host_fail(lua_State *L, const char *code, const char *format, ...);

/* The same from errno: code is the symbolic name ("ENOENT"), message "<what>: <strerror>". */
int host_fail_errno(lua_State *L, int error, const char *what);

/* Creates the metatable `name` once: methods, `finalise` as both __gc and __close (either may be NULL). A finaliser
 * can run twice and on a half-built object. Pushes nothing. */
void host_new_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction finalise);

/* One entry for each primitive: require "host.<name>" calls open, which pushes the primitive's table. */
struct host_primitive {
  const char *name;
  lua_CFunction open;
};
extern const struct host_primitive host_primitives[];

/* What is compiled into the binary (embed.sh, models.S). */
struct host_module {
  const char *name;          /* "infra.engine.plan" */
  const char *path;          /* "lua/infra/engine/plan.lua", the chunk name, so that messages name the source */
  const unsigned char *data; /* not zero-terminated */
  const unsigned char *end;
};
extern const struct host_module host_modules[];
extern const size_t host_modules_count;

/* Puts the embedded modules first among package.searchers and empties package.path and cpath, so that nothing is loaded
 * by accident; stacks and specs add their own paths. */
void modules_install(lua_State *L);

extern const unsigned char host_models[]; /* an SQLite database, or nothing in the first-stage binary */
extern const unsigned char host_models_end[];

#endif
