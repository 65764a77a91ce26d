/* A growing buffer; see buffer.h. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 4096 };

bool buffer_append(struct buffer *buffer, const void *data, size_t size) {
  if (size == 0) return true;
  if (size > buffer->capacity - buffer->size) {
    size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
    while (size > capacity - buffer->size) capacity *= 2;
    char *larger = realloc(buffer->data, capacity);
    if (!larger) return false;
    buffer->data = larger;
    buffer->capacity = capacity;
  }
  memcpy(buffer->data + buffer->size, data, size);
  buffer->size += size;
  return true;
}

void buffer_free(struct buffer *buffer) {
  free(buffer->data);
  *buffer = (struct buffer){NULL, 0, 0};
}
