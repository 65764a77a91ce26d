/* Bytes as ASCII text, shared by the primitives that need it (crypto.c, sigv4.c). No Lua, no allocation. */
#ifndef INFRA_ENCODING_H
#define INFRA_ENCODING_H

#include <stddef.h>

struct text {
  const char *data; /* not owned, not zero-terminated */
  size_t length;
};

/* Writes 2 * length lower-case digits, without a NUL. */
void encode_hex(char *out, const unsigned char *data, size_t length);

/* RFC 3986 percent-encoding the way Signature Version 4 wants it: everything but A-Z a-z 0-9 - _ . ~ and `keep` (one
 * more character to leave alone, '/' for whole paths, or 0). Writes at most 3 * length bytes, without a NUL. The result
 * is what was written. */
struct text encode_percent(char *out, struct text text, char keep);

#endif
