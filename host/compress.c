/* zlib: the state and the model database keep their large texts deflated, AWS's published data comes as gzip.
 *
 *   compress.deflate(s [, { dictionary =, level = 0..9, gzip = bool }]) -> compressed
 *   compress.inflate(s [, { dictionary =, limit = bytes, gzip = bool }]) -> s | nil, err{ code = "BadData", message }
 *     limit: the largest result accepted, 256 MiB if not given, so that a small text cannot fill the memory.
 *     A dictionary (texts alike, the likeliest last) makes short texts compress well; the same one must be given again.
 *     gzip knows no dictionaries. */
#include "host.h"

#include <limits.h>
#include <stdbool.h>
#include <zlib.h>

#define STREAM "infra.compress.stream"
#define DEFAULT_LIMIT ((lua_Integer)256 << 20)

enum { ZLIB_WINDOW = MAX_WBITS, GZIP_WINDOW = MAX_WBITS + 16, MEMORY_LEVEL = 8, CHUNK = 16 << 10 };

struct stream {
  z_stream z;
  int (*end)(z_stream *); /* NULL: nothing to free */
};

struct options {
  const unsigned char *dictionary;
  size_t dictionary_length;
  lua_Integer level, limit;
  int window;
};

static int stream_free(lua_State *L) {
  struct stream *s = luaL_checkudata(L, 1, STREAM);
  if (s->end) s->end(&s->z);
  s->end = NULL;
  return 0;
}

/* An integer option of the table in argument 2, within 0..highest. */
static lua_Integer integer_option(lua_State *L, const char *name, lua_Integer standard, lua_Integer highest) {
  int is_integer = 1;
  lua_Integer value = standard;
  if (lua_getfield(L, 2, name) != LUA_TNIL) value = lua_tointegerx(L, -1, &is_integer);
  luaL_argcheck(L, is_integer && (value == standard || (value >= 0 && value <= highest)), 2, name);
  lua_pop(L, 1);
  return value;
}

/* Reads both arguments. What the options point to stays alive on the stack, which then holds three values. */
static struct options read_options(lua_State *L, z_stream *z) {
  struct options o = {.level = Z_DEFAULT_COMPRESSION, .limit = DEFAULT_LIMIT, .window = ZLIB_WINDOW};
  size_t length;
  z->next_in = (unsigned char *)luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length <= UINT_MAX, 1, "too long");
  z->avail_in = (uInt)length;
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_newtable(L);
    lua_replace(L, 2);
  }
  luaL_checktype(L, 2, LUA_TTABLE);
  o.level = integer_option(L, "level", o.level, Z_BEST_COMPRESSION);
  o.limit = integer_option(L, "limit", o.limit, LUA_MAXINTEGER);
  lua_getfield(L, 2, "gzip");
  if (lua_toboolean(L, -1)) o.window = GZIP_WINDOW;
  lua_pop(L, 1);
  if (lua_getfield(L, 2, "dictionary") != LUA_TNIL) {
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING && o.window != GZIP_WINDOW, 2, "dictionary");
    o.dictionary = (const unsigned char *)lua_tolstring(L, -1, &o.dictionary_length);
    luaL_argcheck(L, o.dictionary_length <= UINT_MAX, 2, "dictionary");
  }
  return o;
}

/* Takes the stream over into a userdata, because collecting its output can throw. */
static struct stream *push_stream(lua_State *L, const z_stream *z) {
  struct stream *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (struct stream){.z = {.next_in = z->next_in, .avail_in = z->avail_in}};
  luaL_setmetatable(L, STREAM);
  lua_toclose(L, -1);
  return s;
}

static int deflate_string(lua_State *L) {
  luaL_Buffer out;
  z_stream input = {0};
  struct options o = read_options(L, &input);
  struct stream *s = push_stream(L, &input);
  if (deflateInit2(&s->z, (int)o.level, Z_DEFLATED, o.window, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
    return luaL_error(L, "not enough memory");
  s->end = deflateEnd;
  if (o.dictionary) deflateSetDictionary(&s->z, o.dictionary, (uInt)o.dictionary_length);
  uLong bound = deflateBound(&s->z, s->z.avail_in);
  luaL_argcheck(L, bound <= UINT_MAX, 1, "too long");
  s->z.next_out = (unsigned char *)luaL_buffinitsize(L, &out, bound);
  s->z.avail_out = (uInt)bound;
  if (deflate(&s->z, Z_FINISH) != Z_STREAM_END) return luaL_error(L, "zlib: %s", s->z.msg ? s->z.msg : "failed");
  luaL_pushresultsize(&out, s->z.total_out);
  return 1;
}

static int bad_data(lua_State *L, const char *problem) { return host_fail(L, "BadData", "not inflated: %s", problem); }

static int inflate_string(lua_State *L) {
  luaL_Buffer out;
  z_stream input = {0};
  struct options o = read_options(L, &input);
  struct stream *s = push_stream(L, &input);
  if (inflateInit2(&s->z, o.window) != Z_OK) return luaL_error(L, "not enough memory");
  s->end = inflateEnd;
  luaL_buffinit(L, &out);
  for (bool done = false; !done;) {
    s->z.next_out = (unsigned char *)luaL_prepbuffsize(&out, CHUNK);
    s->z.avail_out = CHUNK;
    int status = inflate(&s->z, Z_NO_FLUSH);
    luaL_addsize(&out, CHUNK - s->z.avail_out);
    if (luaL_bufflen(&out) > (lua_Unsigned)o.limit) return bad_data(L, "larger than the limit");
    if (status == Z_NEED_DICT) {
      if (!o.dictionary) return bad_data(L, "made with a dictionary");
      if (inflateSetDictionary(&s->z, o.dictionary, (uInt)o.dictionary_length) != Z_OK)
        return bad_data(L, "made with another dictionary");
    } else if (status == Z_STREAM_END && s->z.avail_in && o.window == GZIP_WINDOW) {
      inflateReset(&s->z); /* a gzip file may be several, one after the other */
    } else if (status == Z_STREAM_END) {
      if (s->z.avail_in) return bad_data(L, "something follows the compressed data");
      done = true;
    } else if (status != Z_OK) {
      return bad_data(L, status == Z_BUF_ERROR ? "it ends too early" : s->z.msg ? s->z.msg : "damaged");
    }
  }
  luaL_pushresult(&out);
  return 1;
}

int open_compress(lua_State *L) {
  static const luaL_Reg functions[] = {{"deflate", deflate_string}, {"inflate", inflate_string}, {NULL, NULL}};
  host_new_class(L, STREAM, NULL, stream_free);
  luaL_newlib(L, functions);
  return 1;
}
