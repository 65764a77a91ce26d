/* Finds members in JSON text without building anything: enough for the few that matter; see event.h. The text is from
 * outside, so nothing is read beyond its end, nesting costs no memory, and what is not JSON is "no such member". */
#include "event.h"

#include <ctype.h>
#include <string.h>

/* What is left of a text. */
struct text {
  const char *at, *end;
};

static void skip_space(struct text *t) {
  while (t->at < t->end && strchr(" \t\r\n", *t->at) && *t->at) t->at++;
}

static bool take(struct text *t, char wanted) {
  skip_space(t);
  if (t->at == t->end || *t->at != wanted) return false;
  t->at++;
  return true;
}

/* Takes a string; its contents, still escaped, go to `contents`. */
static bool take_string(struct text *t, struct text *contents) {
  if (!take(t, '"')) return false;
  contents->at = t->at;
  for (; t->at < t->end && *t->at != '"'; t->at++)
    if (*t->at == '\\' && t->at + 1 < t->end) t->at++;
  if (t->at >= t->end) return false;
  contents->end = t->at++;
  return true;
}

/* Takes any value: to the comma or bracket that ends it, past brackets and strings inside. */
static bool skip_value(struct text *t) {
  size_t depth = 0;
  skip_space(t);
  while (t->at < t->end) {
    struct text ignored;
    char c = *t->at;
    if (depth == 0 && strchr(",}]", c) && c) return true;
    if (c == '"') {
      if (!take_string(t, &ignored)) return false;
      continue;
    }
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    t->at++;
  }
  return false;
}

/* The next character of a string's contents, unescaped; 0 for what no comparison here needs. */
static char next_character(struct text *contents) {
  char c = *contents->at++;
  if (c != '\\' || contents->at >= contents->end) return c;
  c = *contents->at++;
  if (strchr("\"\\/", c) && c) return c;
  if (c != 'u' || contents->end - contents->at < 4) return '\0';
  unsigned value = 0;
  for (int i = 0; i < 4; i++) {
    char digit = *contents->at++;
    if (!isxdigit((unsigned char)digit)) return '\0';
    value = value * 16 + (unsigned)(isdigit((unsigned char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
  }
  return value < 0x80 ? (char)value : '\0';
}

/* Takes `expected` off the front of a string's contents. */
static bool take_prefix(struct text *contents, const char *expected) {
  struct text rest = *contents;
  for (; *expected; expected++)
    if (rest.at >= rest.end || next_character(&rest) != *expected) return false;
  *contents = rest;
  return true;
}

static bool is_equal(struct text contents, const char *expected) {
  return take_prefix(&contents, expected) && contents.at == contents.end;
}

/* The value of the member `name` of the object at the start of `object`, from its start to the end of the text. */
static bool find_member(struct text object, const char *name, struct text *value) {
  if (!take(&object, '{')) return false;
  do {
    struct text key;
    if (!take_string(&object, &key) || !take(&object, ':')) return false;
    if (is_equal(key, name)) {
      *value = object;
      return true;
    }
    if (!skip_value(&object)) return false;
  } while (take(&object, ','));
  return false;
}

static bool find_string(struct text object, const char *name, struct text *contents) {
  struct text value;
  return find_member(object, name, &value) && take_string(&value, contents);
}

/* The path of a request begins with the stage's name, unless that is "$default". */
static void take_stage(struct text *path, struct text context) {
  struct text stage, rest = *path;
  if (!find_string(context, "stage", &stage) || !take_prefix(&rest, "/")) return;
  while (stage.at < stage.end) {
    char expected[2] = {next_character(&stage), '\0'};
    if (!*expected || !take_prefix(&rest, expected)) return;
  }
  struct text slash = rest;
  if (take_prefix(&slash, "/")) *path = rest;
}

bool event_is_get(const char *json, size_t length, const char *path) {
  struct text event = {json, json + length}, requested, context, http, method;
  if (!find_string(event, "rawPath", &requested)) return false;
  if (!find_member(event, "requestContext", &context) || !find_member(context, "http", &http)) return false;
  if (!find_string(http, "method", &method) || !is_equal(method, "GET")) return false;
  if (is_equal(requested, path)) return true;
  take_stage(&requested, context);
  return is_equal(requested, path);
}
