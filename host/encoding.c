/* See encoding.h. */
#include "encoding.h"

#include <stdbool.h>

void encode_hex(char *out, const unsigned char *data, size_t length) {
  for (size_t i = 0; i < length; i++) {
    *out++ = "0123456789abcdef"[data[i] >> 4];
    *out++ = "0123456789abcdef"[data[i] & 15];
  }
}

/* Independent of the locale, unlike isalnum. */
static bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

struct text encode_percent(char *out, struct text text, char keep) {
  char *end = out;
  for (size_t i = 0; i < text.length; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (is_unreserved(c) || (keep && text.data[i] == keep)) {
      *end++ = text.data[i];
    } else {
      *end++ = '%';
      *end++ = "0123456789ABCDEF"[c >> 4];
      *end++ = "0123456789ABCDEF"[c & 15];
    }
  }
  return (struct text){out, (size_t)(end - out)};
}
