/* Bytes that arrive piece by piece. Used where a foreign library or a file descriptor delivers them: Lua's own buffers
 * cannot be used there. A buffer set to zero is empty. */
#ifndef INFRA_BUFFER_H
#define INFRA_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
  char *data; /* NULL when it never held anything */
  size_t size, capacity;
};

/* Grows geometrically. Returns false, and changes nothing, when there is no memory. */
bool buffer_append(struct buffer *buffer, const void *data, size_t size);
/* Frees and empties it. */
void buffer_free(struct buffer *buffer);

#endif
