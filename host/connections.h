/* All of libcurl's connections, driven by the event loop. Used by http.c, which says what is transferred over them. */
#ifndef INFRA_CONNECTIONS_H
#define INFRA_CONNECTIONS_H

#define CURL_DISABLE_TYPECHECK /* its macros cannot stand in calls through a table */
#include "loop.h"

#include <curl/curl.h>
#include <sys/queue.h>

struct connections;

/* A transfer, usually a member of the owner's struct: set to zero, then set easy. */
struct connections_job {
  CURL *easy; /* its CURLOPT_PRIVATE is used here */
  enum { JOB_IDLE, JOB_WAITING, JOB_RUNNING } state;
  TAILQ_ENTRY(connections_job) link;
};

/* Called inside the loop, or from connections_add, when a transfer has ended; it is removed already. */
typedef void connections_ended(struct connections_job *job, CURLcode result);

/* Loads libcurl. Returns NULL and sets *problem (a text valid until the next call) when that is impossible. */
struct connections *connections_new(struct loop *loop, connections_ended *ended, const char **problem);
/* Every transfer must be removed before. */
void connections_free(struct connections *connections);

/* Starts a transfer, or lets it wait for its turn; nothing is sent before the loop waits. */
void connections_add(struct connections *connections, struct connections_job *job);
/* Gives it up; does nothing when it is idle. */
void connections_remove(struct connections *connections, struct connections_job *job);

#endif
