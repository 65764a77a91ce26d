/* See signer.h. OpenSSL's objects are fetched once and used again: fetching them costs more than hashing a request. */
#include "signer.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <string.h>

bool signer_open(struct signer *signer) {
  signer->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  signer->digest = EVP_MD_CTX_new();
  signer->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  return signer->sha256 && signer->digest && signer->hmac;
}

void signer_close(struct signer *signer) {
  for (size_t i = 0; i < SIGNER_KEYS; i++) EVP_MAC_CTX_free(signer->keys[i].key);
  EVP_MAC_free(signer->hmac);
  EVP_MD_CTX_free(signer->digest);
  EVP_MD_free(signer->sha256);
  *signer = (struct signer){0};
}

static bool digest_parts(struct signer *signer, const struct text *parts, size_t count, unsigned char *out) {
  bool ok = signer->digest && EVP_DigestInit_ex2(signer->digest, signer->sha256, NULL);
  for (size_t i = 0; i < count && ok; i++) ok = EVP_DigestUpdate(signer->digest, parts[i].data, parts[i].length);
  return ok && EVP_DigestFinal_ex(signer->digest, out, NULL);
}

bool signer_digest(struct signer *signer, struct text data, unsigned char out[SIGNER_DIGEST]) {
  return digest_parts(signer, &data, 1, out);
}

/* `key` NULL: the one that the context holds already. */
static bool authenticate(EVP_MAC_CTX *context, const void *key, size_t key_length, struct text data,
                         unsigned char *out) {
  size_t size;
  return EVP_MAC_init(context, key, key_length, NULL) &&
         EVP_MAC_update(context, (const unsigned char *)data.data, data.length) &&
         EVP_MAC_final(context, out, &size, SIGNER_DIGEST);
}

/* A context holding the signing key, owned by the caller; NULL when OpenSSL fails. */
static EVP_MAC_CTX *derive_key(const struct signer *signer, const struct key_origin *origin) {
  static const char prefix[] = "AWS4", terminator[] = "aws4_request";
  enum { PREFIX = sizeof prefix - 1 };
  const struct text steps[] = {origin->day, origin->region, origin->service, {terminator, sizeof terminator - 1}};
  char sha256[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, sizeof sha256 - 1),
                                   OSSL_PARAM_END};
  unsigned char key[SIGNER_DIGEST];
  size_t length = PREFIX + origin->secret.length;
  char *secret = OPENSSL_malloc(length);
  EVP_MAC_CTX *context = EVP_MAC_CTX_new(signer->hmac);
  bool ok = secret && context && EVP_MAC_CTX_set_params(context, parameters);
  if (ok) {
    memcpy(secret, prefix, PREFIX);
    memcpy(secret + PREFIX, origin->secret.data, origin->secret.length);
    ok = authenticate(context, secret, length, steps[0], key);
  }
  for (size_t i = 1; i < sizeof steps / sizeof *steps && ok; i++)
    ok = authenticate(context, key, SIGNER_DIGEST, steps[i], key);
  ok = ok && EVP_MAC_init(context, key, SIGNER_DIGEST, NULL);
  OPENSSL_cleanse(key, sizeof key);
  OPENSSL_clear_free(secret, length);
  if (ok) return context;
  EVP_MAC_CTX_free(context);
  return NULL;
}

/* The same from memory where possible. The signer keeps it. */
static EVP_MAC_CTX *signing_key(struct signer *signer, const struct key_origin *origin) {
  static const struct text separator = {"", 1}; /* a NUL, which no part contains */
  const struct text parts[] = {origin->secret, separator, origin->day,    separator,
                               origin->region, separator, origin->service};
  unsigned char id[SIGNER_DIGEST];
  if (!digest_parts(signer, parts, sizeof parts / sizeof *parts, id)) return NULL;
  for (size_t i = 0; i < SIGNER_KEYS && signer->keys[i].key; i++)
    if (memcmp(signer->keys[i].id, id, sizeof id) == 0) return signer->keys[i].key;
  EVP_MAC_CTX *key = derive_key(signer, origin);
  if (!key) return NULL;
  size_t slot = signer->next;
  signer->next = (slot + 1) % SIGNER_KEYS;
  EVP_MAC_CTX_free(signer->keys[slot].key);
  signer->keys[slot].key = key;
  memcpy(signer->keys[slot].id, id, sizeof id);
  return key;
}

bool signer_sign(struct signer *signer, const struct key_origin *origin, struct text data,
                 unsigned char out[SIGNER_DIGEST]) {
  EVP_MAC_CTX *key = signing_key(signer, origin);
  return key && authenticate(key, NULL, 0, data, out);
}
