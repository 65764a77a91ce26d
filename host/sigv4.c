/* AWS Signature Version 4, for the client (headers), for presigned URLs, and for the simulated AWS, which verifies by
 * signing again. The only primitive that knows anything of AWS.
 *
 *   sigv4.sign(request) -> { authorization =, signature =, canonical_request =, string_to_sign = }
 *   sigv4.presign(request) -> the whole query string with its signature, the same table without authorization
 *   sigv4.payload_hash(body) -> its SHA-256 in hexadecimal
 *   sigv4.encode_query({ { name, value }, ... }) -> "name=value&..." percent-encoded, in the order given
 *   sigv4.encode_path_segment(s) -> s percent-encoded, slashes too
 *
 *   request = { method =, path = as it goes over the wire, query = { { name, value }, ... } not encoded,
 *     headers = { { name, value }, ... }, all to be signed: host, and X-Amz-Date, X-Amz-Security-Token and
 *       X-Amz-Content-Sha256 where they are sent,
 *     payload_hash = SHA-256 in hexadecimal or "UNSIGNED-PAYLOAD", service = the signing name, region =, access_key =,
 *     secret_key =, timestamp = unix seconds, double_encode = true, normalize = true (both false for S3),
 *     session_token =, expires = seconds (both only for presign) }
 *
 * Source: "Create a signed AWS API request" in the IAM User Guide. A wrong request throws; nothing else can fail. */
#include "canonical.h"
#include "encoding.h"
#include "host.h"
#include "signer.h"

#include <string.h>
#include <time.h>

#define SIGNER "infra.sigv4.signer"
#define ALGORITHM "AWS4-HMAC-SHA256"

enum {
  LONGEST_EXPIRY = 604800, /* seven days */
  DATE = sizeof "20150830T123600Z" - 1,
  DAY = sizeof "20150830" - 1,
  HEX = 2 * SIGNER_DIGEST,
  PRESIGN_PAIRS = 6, /* what presign adds to the query at most */
};

/* In a userdata. The texts belong to the request, or to a userdata next to it on the stack. */
struct pairs {
  size_t count;
  struct pair list[];
};

struct request {
  struct text method, path, payload_hash, service, region, access_key, secret_key;
  struct pairs *headers; /* canonical */
  const char *signed_headers, *scope;
  char date[DATE + 1];
};

/* -- reading the request ------------------------------------------------------------------------------------------- */

/* Leaves the value on the stack, which keeps the text valid. */
static struct text read_text(lua_State *L, const char *field) {
  struct text t;
  if (lua_getfield(L, 1, field) != LUA_TSTRING) luaL_error(L, "a request to sign needs %s, a string", field);
  t.data = lua_tolstring(L, -1, &t.length);
  return t;
}

static bool read_flag(lua_State *L, const char *field) {
  bool set = lua_getfield(L, 1, field) == LUA_TNIL || lua_toboolean(L, -1);
  lua_pop(L, 1);
  return set;
}

static void read_date(lua_State *L, char *date) {
  struct tm utc;
  lua_getfield(L, 1, "timestamp");
  lua_Number seconds = lua_tonumber(L, -1);
  if (!lua_isnumber(L, -1) || !(seconds >= 0 && seconds < 253402300800.0)) /* the year 10000 */
    luaL_error(L, "a request to sign needs timestamp, unix seconds");
  time_t whole = (time_t)seconds;
  strftime(date, DATE + 1, "%Y%m%dT%H%M%SZ", gmtime_r(&whole, &utc));
  lua_pop(L, 1);
}

/* The i-th member of the pair on top of the stack; valid on after it is popped, because the request holds the pair. */
static struct text pair_member(lua_State *L, lua_Integer i) {
  struct text t;
  if (lua_rawgeti(L, -1, i) != LUA_TSTRING) luaL_error(L, "a pair is not { name, value }, both strings");
  t.data = lua_tolstring(L, -1, &t.length);
  lua_pop(L, 1);
  return t;
}

/* Reads the list on top of the stack (nil: an empty one) and pushes its pairs, with room for `spare` more. */
static struct pairs *push_pairs(lua_State *L, size_t spare) {
  bool none = lua_isnil(L, -1);
  if (!none && !lua_istable(L, -1)) luaL_error(L, "names and values are not a list of pairs");
  size_t count = none ? 0 : lua_rawlen(L, -1);
  struct pairs *pairs = lua_newuserdatauv(L, sizeof *pairs + (count + spare) * sizeof *pairs->list, 0);
  for (pairs->count = 0; pairs->count < count; pairs->count++) {
    if (lua_rawgeti(L, -2, (lua_Integer)pairs->count + 1) != LUA_TTABLE) luaL_error(L, "a pair is not a table");
    struct pair *pair = &pairs->list[pairs->count];
    pair->name = pair_member(L, 1);
    pair->value = pair_member(L, 2);
    lua_pop(L, 1);
  }
  return pairs;
}

/* -- the canonical request ----------------------------------------------------------------------------------------- */

/* Pushes memory for what becomes of the pairs' texts, each at most `growth` times as long as before. */
static char *push_memory(lua_State *L, const struct pairs *pairs, size_t growth) {
  size_t size = 1;
  for (size_t i = 0; i < pairs->count; i++) size += pairs->list[i].name.length + pairs->list[i].value.length;
  return lua_newuserdatauv(L, growth * size, 0);
}

static void add_text(luaL_Buffer *out, struct text text) { luaL_addlstring(out, text.data, text.length); }

/* Pushes the encoded pairs joined to a query. */
static const char *push_query(lua_State *L, const struct pairs *pairs) {
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (size_t i = 0; i < pairs->count; i++) {
    if (i) luaL_addchar(&out, '&');
    add_text(&out, pairs->list[i].name);
    luaL_addchar(&out, '=');
    add_text(&out, pairs->list[i].value);
  }
  luaL_pushresult(&out);
  return lua_tostring(L, -1);
}

static const char *push_canonical_query(lua_State *L, struct pairs *pairs) {
  canonical_encode(push_memory(L, pairs, 3), pairs->list, pairs->count);
  canonical_sort(pairs->list, pairs->count);
  return push_query(L, pairs);
}

static struct pairs *push_canonical_headers(lua_State *L) {
  lua_getfield(L, 1, "headers");
  struct pairs *headers = push_pairs(L, 0);
  canonical_headers(push_memory(L, headers, 1), headers->list, headers->count);
  return headers;
}

static const char *push_signed_headers(lua_State *L, const struct pairs *headers) {
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (size_t i = 0; i < headers->count; i++) {
    if (canonical_repeats(headers->list, i)) continue;
    if (i) luaL_addchar(&out, ';');
    add_text(&out, headers->list[i].name);
  }
  luaL_pushresult(&out);
  return lua_tostring(L, -1);
}

static struct text push_canonical_path(lua_State *L, struct text path) {
  bool normalize = read_flag(L, "normalize"), encode = read_flag(L, "double_encode");
  return canonical_path(lua_newuserdatauv(L, 4 * path.length + 4, 0), path, normalize, encode);
}

static struct text push_canonical_request(lua_State *L, const struct request *r, const char *query) {
  luaL_Buffer out;
  struct text path = push_canonical_path(L, r->path), result;
  luaL_buffinit(L, &out);
  add_text(&out, r->method);
  luaL_addchar(&out, '\n');
  add_text(&out, path);
  luaL_addchar(&out, '\n');
  luaL_addstring(&out, query);
  for (size_t i = 0; i < r->headers->count; i++) {
    bool repeats = canonical_repeats(r->headers->list, i);
    luaL_addchar(&out, repeats ? ',' : '\n');
    if (!repeats) {
      add_text(&out, r->headers->list[i].name);
      luaL_addchar(&out, ':');
    }
    add_text(&out, r->headers->list[i].value);
  }
  luaL_addstring(&out, "\n\n");
  luaL_addstring(&out, r->signed_headers);
  luaL_addchar(&out, '\n');
  add_text(&out, r->payload_hash);
  luaL_pushresult(&out);
  result.data = lua_tolstring(L, -1, &result.length);
  return result;
}

/* -- signing ------------------------------------------------------------------------------------------------------- */

/* Everything but the query. What the fields point to lies on the stack. */
static void read_request(lua_State *L, struct request *r) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_checkstack(L, 40, "request");
  r->method = read_text(L, "method");
  r->path = read_text(L, "path");
  r->payload_hash = read_text(L, "payload_hash");
  r->service = read_text(L, "service");
  r->region = read_text(L, "region");
  r->access_key = read_text(L, "access_key");
  r->secret_key = read_text(L, "secret_key");
  read_date(L, r->date);
  r->headers = push_canonical_headers(L);
  r->signed_headers = push_signed_headers(L, r->headers);
  lua_pushlstring(L, r->date, DAY);
  r->scope = lua_pushfstring(L, "%s/%s/%s/aws4_request", lua_tostring(L, -1), r->region.data, r->service.data);
}

/* Pushes the hash in hexadecimal. */
static void push_hash(lua_State *L, struct signer *signer, struct text data) {
  unsigned char digest[SIGNER_DIGEST];
  char text[HEX];
  if (!signer_digest(signer, data, digest)) luaL_error(L, "OpenSSL cannot hash");
  encode_hex(text, digest, sizeof digest);
  lua_pushlstring(L, text, HEX);
}

static int payload_hash(lua_State *L) {
  struct text body;
  body.data = luaL_checklstring(L, 1, &body.length);
  push_hash(L, lua_touserdata(L, lua_upvalueindex(1)), body);
  return 1;
}

/* Pushes the table of results, and above it the signature. */
static const char *push_result(lua_State *L, const struct request *r, const char *query) {
  struct signer *signer = lua_touserdata(L, lua_upvalueindex(1));
  const struct key_origin origin = {r->secret_key, {r->date, DAY}, r->region, r->service};
  unsigned char digest[SIGNER_DIGEST];
  char text[HEX];
  struct text to_sign, canonical = push_canonical_request(L, r, query);
  push_hash(L, signer, canonical);
  lua_pushfstring(L, ALGORITHM "\n%s\n%s\n%s", r->date, r->scope, lua_tostring(L, -1));
  to_sign.data = lua_tolstring(L, -1, &to_sign.length);
  if (!signer_sign(signer, &origin, to_sign, digest)) luaL_error(L, "OpenSSL cannot sign");
  encode_hex(text, digest, sizeof digest);

  lua_createtable(L, 0, 4);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "string_to_sign");
  lua_pushvalue(L, -4);
  lua_setfield(L, -2, "canonical_request");
  lua_pushlstring(L, text, HEX);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "signature");
  return lua_tostring(L, -1);
}

static int sign(lua_State *L) {
  struct request r;
  read_request(L, &r);
  lua_getfield(L, 1, "query");
  const char *query = push_canonical_query(L, push_pairs(L, 0));
  const char *signature = push_result(L, &r, query);
  lua_pushfstring(L, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s", r.access_key.data, r.scope,
                  r.signed_headers, signature);
  lua_setfield(L, -3, "authorization");
  lua_pop(L, 1);
  return 1;
}

static void add_pair(struct pairs *pairs, const char *name, const char *value) {
  pairs->list[pairs->count++] = (struct pair){{name, strlen(name)}, {value, strlen(value)}};
}

static int presign(lua_State *L) {
  struct request r;
  read_request(L, &r);
  lua_getfield(L, 1, "expires");
  lua_Integer expires = lua_tointeger(L, -1);
  if (expires < 1 || expires > LONGEST_EXPIRY) luaL_error(L, "expires is not within 1..%d seconds", LONGEST_EXPIRY);
  const char *seconds = lua_pushfstring(L, "%I", expires);
  const char *credential = lua_pushfstring(L, "%s/%s", r.access_key.data, r.scope);
  bool has_token = lua_getfield(L, 1, "session_token") != LUA_TNIL;
  const char *token = has_token ? read_text(L, "session_token").data : NULL;
  lua_getfield(L, 1, "query");
  struct pairs *pairs = push_pairs(L, PRESIGN_PAIRS);
  add_pair(pairs, "X-Amz-Algorithm", ALGORITHM);
  add_pair(pairs, "X-Amz-Credential", credential);
  add_pair(pairs, "X-Amz-Date", r.date);
  add_pair(pairs, "X-Amz-Expires", seconds);
  add_pair(pairs, "X-Amz-SignedHeaders", r.signed_headers);
  if (token) add_pair(pairs, "X-Amz-Security-Token", token);
  const char *query = push_canonical_query(L, pairs);
  const char *signature = push_result(L, &r, query);
  lua_pushfstring(L, "%s&X-Amz-Signature=%s", query, signature);
  lua_replace(L, -2);
  lua_insert(L, -2);
  return 2;
}

/* -- the table ----------------------------------------------------------------------------------------------------- */

static int encode_query(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  struct pairs *pairs = push_pairs(L, 0);
  canonical_encode(push_memory(L, pairs, 3), pairs->list, pairs->count);
  push_query(L, pairs);
  return 1;
}

static int encode_path_segment(lua_State *L) {
  luaL_Buffer out;
  struct text segment;
  segment.data = luaL_checklstring(L, 1, &segment.length);
  char *memory = luaL_buffinitsize(L, &out, 3 * segment.length);
  luaL_pushresultsize(&out, encode_percent(memory, segment, 0).length);
  return 1;
}

static int signer_finalise(lua_State *L) {
  signer_close(luaL_checkudata(L, 1, SIGNER));
  return 0;
}

int open_sigv4(lua_State *L) {
  static const luaL_Reg encoders[] = {
      {"encode_query", encode_query}, {"encode_path_segment", encode_path_segment}, {NULL, NULL}};
  static const luaL_Reg signers[] = {
      {"sign", sign}, {"presign", presign}, {"payload_hash", payload_hash}, {NULL, NULL}};
  host_new_class(L, SIGNER, NULL, signer_finalise);
  luaL_newlib(L, encoders);
  struct signer *signer = lua_newuserdatauv(L, sizeof *signer, 0);
  *signer = (struct signer){0};
  luaL_setmetatable(L, SIGNER);
  if (!signer_open(signer)) return luaL_error(L, "OpenSSL has no SHA-256");
  luaL_setfuncs(L, signers, 1);
  return 1;
}
