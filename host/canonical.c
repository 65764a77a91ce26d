/* See canonical.h. */
#include "canonical.h"

#include <stdlib.h>
#include <string.h>

static int compare(struct text a, struct text b) {
  int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);
  return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int by_name_and_value(const void *a, const void *b) {
  const struct pair *x = a, *y = b;
  int order = compare(x->name, y->name);
  return order ? order : compare(x->value, y->value);
}

/* The names were written one after the other, so that their addresses tell their order. */
static int by_name_and_place(const void *a, const void *b) {
  const struct pair *x = a, *y = b;
  int order = compare(x->name, y->name);
  return order ? order : (x->name.data > y->name.data) - (x->name.data < y->name.data);
}

void canonical_encode(char *memory, struct pair *pairs, size_t count) {
  for (size_t i = 0; i < count; i++) {
    pairs[i].name = encode_percent(memory, pairs[i].name, 0);
    memory += pairs[i].name.length;
    pairs[i].value = encode_percent(memory, pairs[i].value, 0);
    memory += pairs[i].value.length;
  }
}

void canonical_sort(struct pair *pairs, size_t count) { qsort(pairs, count, sizeof *pairs, by_name_and_value); }

static struct text lower_case(char *out, struct text text) {
  for (size_t i = 0; i < text.length; i++) {
    char c = text.data[i];
    out[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return (struct text){out, text.length};
}

static struct text trimmed(char *out, struct text text) {
  char *end = out;
  bool gap = false;
  for (size_t i = 0; i < text.length; i++) {
    if (text.data[i] && strchr(" \t\r\n\v\f", text.data[i])) {
      gap = end != out;
      continue;
    }
    if (gap) *end++ = ' ';
    gap = false;
    *end++ = text.data[i];
  }
  return (struct text){out, (size_t)(end - out)};
}

void canonical_headers(char *memory, struct pair *headers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    headers[i].name = lower_case(memory, headers[i].name);
    memory += headers[i].name.length;
    headers[i].value = trimmed(memory, headers[i].value);
    memory += headers[i].value.length;
  }
  qsort(headers, count, sizeof *headers, by_name_and_place);
}

bool canonical_repeats(const struct pair *headers, size_t i) {
  return i > 0 && compare(headers[i - 1].name, headers[i].name) == 0;
}

/* Writes at most path.length + 1 bytes. The path is not empty. */
static struct text normalized(char *out, struct text path) {
  const char *end = path.data + path.length;
  size_t n = 0;
  for (const char *segment = path.data, *next; segment < end; segment = next + 1) {
    next = memchr(segment, '/', (size_t)(end - segment));
    if (!next) next = end;
    size_t length = (size_t)(next - segment);
    if (length == 0 || (length == 1 && segment[0] == '.')) continue;
    if (length == 2 && memcmp(segment, "..", 2) == 0) {
      while (n > 0 && out[--n] != '/') continue;
      continue;
    }
    out[n++] = '/';
    memcpy(out + n, segment, length);
    n += length;
  }
  if (n == 0 || end[-1] == '/') out[n++] = '/';
  return (struct text){out, n};
}

struct text canonical_path(char *memory, struct text path, bool normalize, bool encode) {
  if (path.length == 0) path = (struct text){"/", 1};
  if (normalize) {
    path = normalized(memory, path);
    memory += path.length;
  }
  return encode ? encode_percent(memory, path, '/') : path;
}
