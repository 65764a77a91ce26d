/* All of libcurl's connections, driven by the event loop. Used by http.c, which says what is transferred over them. */
#ifndef INFRA_CONNECTIONS_H
#define INFRA_CONNECTIONS_H

#define CURL_DISABLE_TYPECHECK /* its macros cannot stand in calls through a table */
#include "loop.h"

#include <curl/curl.h>

struct connections;

/* Called from inside the loop when a transfer has ended; it is removed already. */
typedef void connections_ended(CURL *easy, CURLcode result);

/* Loads libcurl. Returns NULL and sets *problem (a text valid until the next call) when that is impossible. */
struct connections *connections_new(struct loop *loop, connections_ended *ended, const char **problem);
/* Every transfer must be removed before. */
void connections_free(struct connections *connections);

/* Starts a transfer; nothing happens before the loop waits. Returns NULL, or what is wrong. */
const char *connections_add(struct connections *connections, CURL *easy);
void connections_remove(struct connections *connections, CURL *easy);

#endif
