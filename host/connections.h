/* All of libcurl's connections, driven by the event loop. Used by http.c, which says what is transferred over them. */
#ifndef INFRA_CONNECTIONS_H
#define INFRA_CONNECTIONS_H

#define CURL_DISABLE_TYPECHECK /* its macros cannot stand in calls through a table */
#include "loop.h"

#include <curl/curl.h>
#include <sys/queue.h>

struct connections;

/* A transfer, usually a member of the owner's struct: set to zero before connections_open. */
struct connections_job {
  CURL *easy; /* its CURLOPT_PRIVATE is used here; NULL: closed */
  enum { JOB_IDLE, JOB_WAITING, JOB_RUNNING } state;
  TAILQ_ENTRY(connections_job) link;
};

/* Called inside the loop, or from connections_add, when a transfer has ended; its handle is still there. */
typedef void connections_ended(struct connections_job *job, CURLcode result);

/* Loads libcurl. Returns NULL and sets *problem (a text valid until the next call) when that is impossible. */
struct connections *connections_new(struct loop *loop, connections_ended *ended, const char **problem);
/* Every transfer must be closed before. */
void connections_free(struct connections *connections);

/* Gives a transfer its handle, on which nothing is set. Returns false without memory. */
bool connections_open(struct connections *connections, struct connections_job *job);
/* Starts a transfer, or lets it wait for its turn; nothing is sent before the loop waits. */
void connections_add(struct connections *connections, struct connections_job *job);
/* Gives it up, if it has not ended, and takes the handle back. Does nothing when it is closed. */
void connections_close(struct connections *connections, struct connections_job *job);

#endif
