/* The canonical form of a request's parts, as Signature Version 4 defines it (sigv4.c puts them together). No Lua, no
 * allocation: results are written to memory of the caller's and point into it. */
#ifndef INFRA_CANONICAL_H
#define INFRA_CANONICAL_H

#include "encoding.h"

#include <stdbool.h>

struct pair {
  struct text name, value;
};

/* The path as it goes over the wire, without empty, "." and ".." segments when `normalize`, and percent-encoded once
 * more when `encode`. Writes at most 4 * length + 4 bytes. */
struct text canonical_path(char *memory, struct text path, bool normalize, bool encode);

/* Percent-encodes names and values in place. Writes at most 3 * the sum of their lengths. */
void canonical_encode(char *memory, struct pair *pairs, size_t count);

/* Sorts encoded pairs by name, then value. */
void canonical_sort(struct pair *pairs, size_t count);

/* Lower-cases the names, trims the values and squeezes white space inside them, and sorts by name; headers of one name
 * keep their order. Writes at most the sum of the lengths. */
void canonical_headers(char *memory, struct pair *headers, size_t count);

/* Whether sorted header i has the name of the one before it, and so continues its line. */
bool canonical_repeats(const struct pair *headers, size_t i);

#endif
