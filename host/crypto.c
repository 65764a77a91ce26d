/* Digests, encodings of bytes, randomness and authenticated encryption, for request signing, tokens, checksums and the
 * simulated KMS. All of it is OpenSSL's; strings are bytes throughout.
 *
 *   crypto.md5(s), crypto.sha1(s), crypto.sha256(s) -> raw digest        crypto.hmac_sha256(key, s) -> 32 bytes
 *   crypto.hasher(name) -> h;  h:update(s) -> h;  h:digest() -> raw digest, once
 *   crypto.crc32(s [, before]) -> integer (the CRC-32 of zlib and of S3's x-amz-checksum-crc32); `before` is that of
 *                                 what s follows
 *   crypto.hex(s), crypto.base64(s) -> text          crypto.unhex(s), crypto.unbase64(s) -> bytes | nil, err
 *   crypto.random(n) -> n bytes (throws when the system has none: never a weak answer)
 *   crypto.encrypt(key, plaintext [, aad]) -> nonce .. ciphertext .. tag   AES-256-GCM, key of 32 bytes, random nonce
 *   crypto.decrypt(key, sealed [, aad]) -> plaintext | nil, err            code "DecryptionFailed"
 *   crypto.equal(a, b) -> boolean, in a time that tells nothing of where they differ */
#include "encoding.h"
#include "host.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#define HASHER "infra.crypto.hasher"
#define LONGEST ((size_t)1 << 30) /* OpenSSL counts in int; this leaves room for what base64 adds */

enum { KEY = 32, NONCE = 12, TAG = 16 };

static const struct {
  const char *name;
  const EVP_MD *(*algorithm)(void);
} digests[] = {{"md5", EVP_md5}, {"sha1", EVP_sha1}, {"sha256", EVP_sha256}, {NULL, NULL}};

/* Only for what cannot fail but by lack of memory or a broken installation. */
static int openssl_error(lua_State *L) {
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return luaL_error(L, "OpenSSL: %s", reason ? reason : "unknown error");
}

static struct text check_text(lua_State *L, int argument) {
  struct text text;
  text.data = luaL_checklstring(L, argument, &text.length);
  luaL_argcheck(L, text.length <= LONGEST, argument, "too long");
  return text;
}

static const unsigned char *bytes(struct text text) { return (const unsigned char *)text.data; }

static const unsigned char *check_key(lua_State *L, int argument) {
  struct text key = check_text(L, argument);
  luaL_argcheck(L, key.length == KEY, argument, "a key has 32 bytes");
  return bytes(key);
}

/* -- digests ------------------------------------------------------------------------------------------------------- */

/* crypto.md5 and its like; the upvalue is the row of `digests`. */
static int digest(lua_State *L) {
  unsigned char result[EVP_MAX_MD_SIZE];
  unsigned int size;
  size_t length;
  const char *data = luaL_checklstring(L, 1, &length);
  const EVP_MD *algorithm = digests[lua_tointeger(L, lua_upvalueindex(1))].algorithm();
  if (!EVP_Digest(data, length, result, &size, algorithm, NULL)) return openssl_error(L);
  lua_pushlstring(L, (const char *)result, size);
  return 1;
}

static int hmac_sha256(lua_State *L) {
  unsigned char result[EVP_MAX_MD_SIZE];
  unsigned int size;
  struct text key = check_text(L, 1), data = check_text(L, 2);
  if (!HMAC(EVP_sha256(), key.data, (int)key.length, bytes(data), data.length, result, &size)) return openssl_error(L);
  lua_pushlstring(L, (const char *)result, size);
  return 1;
}

static int hasher_free(lua_State *L) {
  EVP_MD_CTX **hasher = luaL_checkudata(L, 1, HASHER);
  EVP_MD_CTX_free(*hasher);
  *hasher = NULL;
  return 0;
}

static EVP_MD_CTX *check_hasher(lua_State *L) {
  EVP_MD_CTX **hasher = luaL_checkudata(L, 1, HASHER);
  luaL_argcheck(L, *hasher, 1, "the digest was already taken");
  return *hasher;
}

static int hasher_new(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  int i = 0;
  while (digests[i].name && strcmp(digests[i].name, name) != 0) i++;
  luaL_argcheck(L, digests[i].name, 1, "unknown digest");
  EVP_MD_CTX **hasher = lua_newuserdatauv(L, sizeof *hasher, 0);
  *hasher = NULL;
  luaL_setmetatable(L, HASHER);
  *hasher = EVP_MD_CTX_new();
  if (!*hasher || !EVP_DigestInit_ex2(*hasher, digests[i].algorithm(), NULL)) return openssl_error(L);
  return 1;
}

static int hasher_update(lua_State *L) {
  size_t length;
  EVP_MD_CTX *hasher = check_hasher(L);
  const char *data = luaL_checklstring(L, 2, &length);
  if (!EVP_DigestUpdate(hasher, data, length)) return openssl_error(L);
  lua_settop(L, 1);
  return 1;
}

static int hasher_digest(lua_State *L) {
  unsigned char result[EVP_MAX_MD_SIZE];
  unsigned int size;
  if (!EVP_DigestFinal_ex(check_hasher(L), result, &size)) return openssl_error(L);
  hasher_free(L);
  lua_pushlstring(L, (const char *)result, size);
  return 1;
}

static int checksum(lua_State *L) {
  size_t length;
  const char *data = luaL_checklstring(L, 1, &length);
  uLong before = (uLong)luaL_optinteger(L, 2, 0);
  lua_pushinteger(L, (lua_Integer)crc32_z(before, (const unsigned char *)data, length));
  return 1;
}

/* -- bytes as text ------------------------------------------------------------------------------------------------- */

static int hex(lua_State *L) {
  luaL_Buffer out;
  struct text data = check_text(L, 1);
  encode_hex(luaL_buffinitsize(L, &out, 2 * data.length), bytes(data), data.length);
  luaL_pushresultsize(&out, 2 * data.length);
  return 1;
}

static int unhex(lua_State *L) {
  luaL_Buffer out;
  struct text text = check_text(L, 1);
  char *data = luaL_buffinitsize(L, &out, text.length / 2);
  for (size_t i = 0; i + 1 < text.length; i += 2) {
    int high = OPENSSL_hexchar2int(bytes(text)[i]), low = OPENSSL_hexchar2int(bytes(text)[i + 1]);
    if (high < 0 || low < 0) return host_fail(L, "BadHex", "not hexadecimal at byte %I", (lua_Integer)i + 1);
    data[i / 2] = (char)(high << 4 | low);
  }
  if (text.length % 2) return host_fail(L, "BadHex", "an odd number of hexadecimal digits");
  luaL_pushresultsize(&out, text.length / 2);
  return 1;
}

static int base64(lua_State *L) {
  luaL_Buffer out;
  struct text data = check_text(L, 1);
  char *text = luaL_buffinitsize(L, &out, (data.length + 2) / 3 * 4 + 1);
  luaL_pushresultsize(&out, (size_t)EVP_EncodeBlock((unsigned char *)text, bytes(data), (int)data.length));
  return 1;
}

/* Padded and unbroken base64 only. OpenSSL would also take white space and dashes around it and '=' in the middle, and
 * counts the padding as zero bytes. */
static int unbase64(lua_State *L) {
  luaL_Buffer out;
  struct text text = check_text(L, 1);
  size_t padding = 0, size = text.length / 4 * 3;
  while (padding < 2 && padding < text.length && text.data[text.length - 1 - padding] == '=') padding++;
  unsigned char *data = (unsigned char *)luaL_buffinitsize(L, &out, size);
  if (text.length % 4 != 0 || memchr(text.data, '=', text.length - padding) ||
      EVP_DecodeBlock(data, bytes(text), (int)text.length) != (int)size)
    return host_fail(L, "BadBase64", "not base64");
  luaL_pushresultsize(&out, size - padding);
  return 1;
}

/* -- secrets ------------------------------------------------------------------------------------------------------- */

static int random_bytes(lua_State *L) {
  luaL_Buffer out;
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count >= 0 && count <= (lua_Integer)LONGEST, 1, "out of range");
  char *data = luaL_buffinitsize(L, &out, (size_t)count);
  if (RAND_bytes((unsigned char *)data, (int)count) != 1) return openssl_error(L);
  luaL_pushresultsize(&out, (size_t)count);
  return 1;
}

/* What encryption is bound to: argument 3, empty when it is not given. */
static struct text optional_context(lua_State *L) {
  return lua_isnoneornil(L, 3) ? (struct text){"", 0} : check_text(L, 3);
}

/* Both directions of AES-256-GCM: writes in.length bytes to `out`, and makes or checks the tag. */
static bool run_gcm(bool encrypting, const unsigned char *key, const unsigned char *nonce, struct text aad,
                    struct text in, unsigned char *out, unsigned char *tag) {
  int written = 0, rest = 0;
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  bool ok = context && EVP_CipherInit_ex2(context, EVP_aes_256_gcm(), key, nonce, encrypting, NULL) &&
            (encrypting || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1) &&
            EVP_CipherUpdate(context, NULL, &rest, bytes(aad), (int)aad.length) &&
            EVP_CipherUpdate(context, out, &written, bytes(in), (int)in.length) &&
            EVP_CipherFinal_ex(context, out + written, &rest) &&
            (!encrypting || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1);
  EVP_CIPHER_CTX_free(context);
  return ok;
}

static int encrypt(lua_State *L) {
  luaL_Buffer buffer;
  const unsigned char *key = check_key(L, 1);
  struct text plain = check_text(L, 2), aad = optional_context(L);
  size_t size = NONCE + plain.length + TAG;
  unsigned char *out = (unsigned char *)luaL_buffinitsize(L, &buffer, size);
  if (RAND_bytes(out, NONCE) != 1 || !run_gcm(true, key, out, aad, plain, out + NONCE, out + size - TAG))
    return openssl_error(L);
  luaL_pushresultsize(&buffer, size);
  return 1;
}

static int decrypt(lua_State *L) {
  unsigned char tag[TAG];
  const unsigned char *key = check_key(L, 1);
  struct text sealed = check_text(L, 2), aad = optional_context(L);
  if (sealed.length < NONCE + TAG) return host_fail(L, "DecryptionFailed", "too short to be encrypted data");
  struct text cipher = {sealed.data + NONCE, sealed.length - NONCE - TAG};
  memcpy(tag, cipher.data + cipher.length, TAG);
  unsigned char *out = lua_newuserdatauv(L, cipher.length, 0); /* unlike a luaL_Buffer's, still there to be wiped */
  bool ok = run_gcm(false, key, bytes(sealed), aad, cipher, out, tag);
  if (ok) lua_pushlstring(L, (const char *)out, cipher.length);
  OPENSSL_cleanse(out, cipher.length);
  if (ok) return 1;
  ERR_clear_error();
  return host_fail(L, "DecryptionFailed", "the key is wrong or the encrypted data was changed");
}

static int equal(lua_State *L) {
  size_t length_a, length_b;
  const char *a = luaL_checklstring(L, 1, &length_a), *b = luaL_checklstring(L, 2, &length_b);
  lua_pushboolean(L, length_a == length_b && CRYPTO_memcmp(a, b, length_a) == 0);
  return 1;
}

int open_crypto(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"hmac_sha256", hmac_sha256},
      {"hasher", hasher_new},
      {"crc32", checksum},
      {"hex", hex},
      {"unhex", unhex},
      {"base64", base64},
      {"unbase64", unbase64},
      {"random", random_bytes},
      {"encrypt", encrypt},
      {"decrypt", decrypt},
      {"equal", equal},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {{"update", hasher_update}, {"digest", hasher_digest}, {NULL, NULL}};
  host_new_class(L, HASHER, methods, hasher_free);
  luaL_newlib(L, functions);
  for (int i = 0; digests[i].name; i++) {
    lua_pushinteger(L, i);
    lua_pushcclosure(L, digest, 1);
    lua_setfield(L, -2, digests[i].name);
  }
  return 1;
}
