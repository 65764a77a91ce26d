/* The keys and digests of Signature Version 4, without Lua; sigv4.c is what Lua sees. */
#ifndef INFRA_SIGNER_H
#define INFRA_SIGNER_H

#include "encoding.h"

#include <openssl/evp.h>
#include <stdbool.h>

enum {
  SIGNER_DIGEST = 32,
  SIGNER_KEYS = 64, /* signing keys remembered: one for each account, region and service in use */
};

/* What a signing key is derived from. */
struct key_origin {
  struct text secret, day, region, service;
};

/* A key is remembered by the digest of its origin, so that no secret stays here. */
struct signer {
  EVP_MD *sha256;
  EVP_MD_CTX *digest;
  EVP_MAC *hmac;
  size_t next; /* the slot to fill next, the oldest once all are in use */
  struct {
    unsigned char id[SIGNER_DIGEST];
    EVP_MAC_CTX *key; /* holds the key, ready to sign; NULL: the slot is free */
  } keys[SIGNER_KEYS];
};

/* On a zeroed signer. False when OpenSSL has not what it takes; close it then too. */
bool signer_open(struct signer *signer);

/* Leaves it zeroed; may be called again. */
void signer_close(struct signer *signer);

/* SHA-256 of `data`. False on a closed signer or when OpenSSL fails, which takes a lack of memory. */
bool signer_digest(struct signer *signer, struct text data, unsigned char out[SIGNER_DIGEST]);

/* HMAC-SHA-256 of `data` with the key derived from `origin`. False as above. */
bool signer_sign(struct signer *signer, const struct key_origin *origin, struct text data,
                 unsigned char out[SIGNER_DIGEST]);

#endif
