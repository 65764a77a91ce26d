/* One request and its response: what libmicrohttpd tells of them, and the event and `respond` that Lua gets. Used by
 * server.c, which describes both. */
#ifndef INFRA_EXCHANGE_H
#define INFRA_EXCHANGE_H

#include "loop.h"

#include <lua.h>
#include <microhttpd.h>
#include <stddef.h>
#include <sys/queue.h>

/* Those of one server: the first member of its userdata, which events find by this address. */
struct exchanges {
  struct loop *loop;
  struct loop_timer timer; /* the server's: when libmicrohttpd wants to be called next */
  size_t max_body;
  LIST_HEAD(exchange_list, exchange) list;
};

/* For the metatable of `respond`, when the primitive opens. */
void exchange_open(lua_State *L);

/* Loads what the others call: NULL, or what is missing. */
const char *exchange_load(void);

/* MHD_OPTION_URI_LOG_CALLBACK, with the struct exchanges: a request begins. Returns its context from then on. */
void *exchange_begin(void *exchanges, const char *uri, struct MHD_Connection *connection);

/* The daemon's handler. Called when the head is there, for every part of the body, when the request is complete, and
 * again after the connection was resumed. MHD_NO drops the connection. */
enum MHD_Result exchange_handle(void *unused, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **context);

/* MHD_OPTION_NOTIFY_COMPLETED: a request ends, one way or another. */
void exchange_end(void *unused, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode how);

/* Lets every one that waits for its answer end without: before the daemon stops. */
void exchange_drop_all(struct exchanges *exchanges);

#endif
