/* As much of HTTP/1.1 as Lambda's runtime interface takes: one request at a time, to a server on this machine, over a
 * connection of its own. Used by main.c. */
#ifndef BOOTSTRAP_HTTP_H
#define BOOTSTRAP_HTTP_H

#include <netinet/in.h>
#include <stddef.h>

/* An answer, and the memory it is in, which the next exchange uses again. Starts as { 0 }. */
struct answer {
  int status;
  const char *body; /* body_length bytes inside `data`, not zero-terminated */
  size_t body_length;
  char *data; /* everything received, head_length bytes of it before the body */
  size_t length, capacity, head_length;
};

/* Sends `body` (NULL: none) and waits for the whole answer, however long that takes. Returns 0; or -1 when it cannot
 * connect, when the connection ends too early, or when what comes is no HTTP. */
int http_exchange(const struct sockaddr_in *server, const char *method, const char *path, const char *body,
                  struct answer *answer);

/* The value of a header of the answer, zero-terminated into `value`. Returns 0; or -1 when there is none, or it is
 * longer than size - 1. */
int http_header(const struct answer *answer, const char *name, char *value, size_t size);

#endif
