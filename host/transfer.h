/* One HTTP request and its response, on libcurl; connections.c moves it. Used by http.c. */
#ifndef INFRA_TRANSFER_H
#define INFRA_TRANSFER_H

#include "buffer.h"
#include "connections.h"

#include <stddef.h>

struct transfer_options {
  const char *method, *url;
  struct curl_slist *headers; /* lines; they too must stay where they are, and so must the list */
  const char *body;           /* NULL: none; it must stay where it is until the transfer is closed */
  size_t body_size;
  const char *body_from;             /* NULL, or the file whose bytes are the body instead */
  curl_off_t from_offset, from_size; /* a size below 0: until the file ends */
  const char *ca_file;               /* NULL: the system's certificates */
  const char *body_to;               /* NULL, or the file for the body of a 2xx response */
  size_t max_body;                   /* bytes of the response's body that are kept in memory */
  long timeout, connect_timeout;     /* milliseconds */
  long stall_timeout;                /* seconds; 0: none */
  bool no_proxy;                     /* whatever the environment says */
};

/* Set to zero before transfer_open. */
struct transfer {
  struct connections_job job;               /* first: a job is its transfer */
  void (*ended)(struct transfer *transfer); /* called inside the loop */
  void *owner;                              /* the caller's */

  /* The response, once it ended. */
  const char *error; /* NULL, or the error's code; see http.c */
  const char *reason;
  int times_sent; /* 0: the request surely never left */
  long status;
  struct buffer body;

  /* The rest belongs to transfer.c. */
  struct connections *connections;
  size_t header_bytes, max_body;
  char *path;      /* of the response's body; NULL: in memory */
  char *temporary; /* its name until it is whole; NULL: there is no such file */
  int file;        /* -1: not open */
  int source;      /* what body_from names; -1: not open */
  curl_off_t source_at, source_left;
  bool head_ended;
  char curl_reason[CURL_ERROR_SIZE];
  char *file_reason; /* NULL: nothing was wrong with a file */
};

/* Gives the transfer a handle. Returns NULL, or what is wrong. */
const char *transfer_open(struct transfer *transfer, struct connections *connections);
/* Returns false, and sets error and reason, when it cannot start. */
bool transfer_start(struct transfer *transfer, const struct transfer_options *options);
/* The response's next header after `previous` (NULL: the first), or NULL. Names come as the server wrote them. */
struct curl_header *transfer_next_header(struct transfer *transfer, struct curl_header *previous);
/* Gives up if it has not ended, and frees everything, the response too. Harmless when it is closed. */
void transfer_close(struct transfer *transfer);

/* What connections_new takes. */
connections_ended transfer_ended;

#endif
