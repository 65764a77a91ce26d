/* One request and its response; see exchange.h. */
#include "exchange.h"
#include "buffer.h"
#include "headers.h"
#include "host.h"
#include "lazy.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXCHANGE_FUNCTIONS(X)                                                                                          \
  X(MHD_get_connection_info)                                                                                           \
  X(MHD_get_connection_values)                                                                                         \
  X(MHD_suspend_connection)                                                                                            \
  X(MHD_resume_connection)                                                                                             \
  X(MHD_create_response_from_buffer)                                                                                   \
  X(MHD_create_response_from_callback)                                                                                 \
  X(MHD_add_response_header)                                                                                           \
  X(MHD_queue_response)                                                                                                \
  X(MHD_destroy_response)
LAZY_LIBRARY(mhd, "libmicrohttpd.so.12", EXCHANGE_FUNCTIONS)

#define ANSWER "infra.server.answer"

/* A request and its response; libmicrohttpd says when it begins and ends. */
struct exchange {
  struct loop_event event; /* first: push gets its address */
  struct exchanges *owner;
  LIST_ENTRY(exchange) link;
  struct answer *answer; /* Lua's way to it, once there is one */
  struct MHD_Connection *connection;
  int client_port;
  char *uri, *method;
  struct buffer headers; /* name, NUL, value, NUL, ... */
  struct buffer body;
  bool too_long;  /* the body */
  bool suspended; /* until it is answered */
  bool answered;
  unsigned status;
  struct MHD_Response *response; /* answered without one: the connection is dropped */
};

/* The userdata behind `respond`. */
struct answer {
  struct exchange *exchange; /* NULL: over */
  bool given;
};

/* -- for Lua ------------------------------------------------------------------------------------------------------ */

/* Lets libmicrohttpd go on with what was decided. */
static void resume(struct exchange *exchange) {
  exchange->answered = true;
  if (!exchange->suspended) return;
  exchange->suspended = false;
  mhd.MHD_resume_connection(exchange->connection);
  loop_timer_set(exchange->owner->loop, &exchange->owner->timer, 0); /* only its run sees that */
}

/* The body of a response to HEAD. */
static ssize_t never_read(void *user, uint64_t position, char *data, size_t size) {
  (void)user, (void)position, (void)data, (void)size;
  return MHD_CONTENT_READER_END_WITH_ERROR;
}

static int respond(lua_State *L) {
  struct answer *answer = luaL_checkudata(L, lua_upvalueindex(1), ANSWER);
  bool drop = lua_isnoneornil(L, 1);
  lua_Integer status = luaL_optinteger(L, 1, 0);
  size_t size;
  const char *body = luaL_optlstring(L, 3, "", &size);
  uint64_t length = size; /* of what HEAD asks about */
  luaL_argcheck(L, drop || (status >= 200 && status <= 999), 1, "not a final HTTP status");
  lua_settop(L, 3);
  if (!lua_isnil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
      headers_check(L, 2, -2, -1);
      if (strcasecmp(lua_tostring(L, -2), "Content-Length") == 0) length = strtoull(lua_tostring(L, -1), NULL, 10);
    }
  }
  if (answer->given) return luaL_error(L, "this request was answered already");
  answer->given = true;
  struct exchange *exchange = answer->exchange;
  if (exchange && !drop) {
    exchange->status = (unsigned)status;
    exchange->response = strcmp(exchange->method, "HEAD") == 0
                             ? mhd.MHD_create_response_from_callback(length, 1, never_read, NULL, NULL)
                             : mhd.MHD_create_response_from_buffer(size, (void *)body, MHD_RESPMEM_MUST_COPY);
    if (!exchange->response) return luaL_error(L, "not enough memory");
    if (!lua_isnil(L, 2))
      for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1))
        mhd.MHD_add_response_header(exchange->response, lua_tostring(L, -2), lua_tostring(L, -1));
  }
  if (exchange) resume(exchange);
  lua_pushboolean(L, exchange != NULL);
  return 1;
}

static int drop_unanswered(lua_State *L) {
  struct answer *answer = luaL_checkudata(L, 1, ANSWER);
  if (answer->exchange) {
    answer->exchange->answer = NULL;
    resume(answer->exchange);
    answer->exchange = NULL;
  }
  return 0;
}

static void push_string(lua_State *L, const char *name, const char *value, size_t size) {
  lua_pushlstring(L, value ? value : "", size);
  lua_setfield(L, -2, name);
}

/* The loop's event for a request that is complete. */
static void push_request(lua_State *L, struct loop_event *event) {
  struct exchange *exchange = (struct exchange *)event;
  size_t path_size = strcspn(exchange->uri, "?");
  const char *query = exchange->uri + path_size + (exchange->uri[path_size] == '?');
  lua_createtable(L, 0, 2);
  loop_push_held(L, exchange->owner);
  lua_setfield(L, -2, "handle");
  lua_createtable(L, 0, 7);
  push_string(L, "method", exchange->method, strlen(exchange->method));
  push_string(L, "path", exchange->uri, path_size);
  push_string(L, "query", query, strlen(query));
  push_string(L, "body", exchange->body.data, exchange->body.size);
  lua_pushinteger(L, exchange->client_port);
  lua_setfield(L, -2, "client_port");
  lua_newtable(L);
  for (size_t at = 0; at < exchange->headers.size;) {
    const char *name = exchange->headers.data + at, *value = name + strlen(name) + 1;
    headers_add(L, name, value);
    at += strlen(name) + 1 + strlen(value) + 1;
  }
  lua_setfield(L, -2, "headers");
  struct answer *answer = lua_newuserdatauv(L, sizeof *answer, 0);
  *answer = (struct answer){exchange, false};
  exchange->answer = answer;
  luaL_setmetatable(L, ANSWER);
  lua_pushcclosure(L, respond, 1);
  lua_setfield(L, -2, "respond");
  lua_setfield(L, -2, "request");
}

/* -- called by libmicrohttpd, inside the loop --------------------------------------------------------------------- */

/* The only place that sees the URI undecoded. */
void *exchange_begin(void *user, const char *uri, struct MHD_Connection *connection) {
  struct exchanges *owner = user;
  struct exchange *exchange = calloc(1, sizeof *exchange);
  if (!exchange) return NULL;
  exchange->event.push = push_request;
  exchange->owner = owner;
  exchange->connection = connection;
  exchange->uri = strdup(uri);
  LIST_INSERT_HEAD(&owner->list, exchange, link);
  return exchange;
}

void exchange_end(void *user, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode how) {
  struct exchange *exchange = *context;
  (void)user, (void)connection, (void)how;
  if (!exchange) return;
  loop_withdraw(exchange->owner->loop, &exchange->event);
  if (exchange->answer) exchange->answer->exchange = NULL;
  if (exchange->response) mhd.MHD_destroy_response(exchange->response);
  LIST_REMOVE(exchange, link);
  buffer_free(&exchange->headers);
  buffer_free(&exchange->body);
  free(exchange->uri);
  free(exchange->method);
  free(exchange);
  *context = NULL;
}

static int port_of(const struct sockaddr *address) {
  return ntohs(address->sa_family == AF_INET ? ((const struct sockaddr_in *)address)->sin_port
                                             : ((const struct sockaddr_in6 *)address)->sin6_port);
}

static enum MHD_Result read_header(void *user, enum MHD_ValueKind kind, const char *name, const char *value) {
  struct exchange *exchange = user;
  (void)kind;
  if (!value) value = "";
  return buffer_append(&exchange->headers, name, strlen(name) + 1) &&
                 buffer_append(&exchange->headers, value, strlen(value) + 1)
             ? MHD_YES
             : MHD_NO;
}

static enum MHD_Result read_head(struct exchange *exchange, const char *method) {
  const union MHD_ConnectionInfo *info =
      mhd.MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  exchange->method = strdup(method);
  if (info) exchange->client_port = port_of(info->client_addr);
  int count = mhd.MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, NULL, NULL);
  return exchange->method && exchange->uri &&
                 mhd.MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, read_header, exchange) == count
             ? MHD_YES
             : MHD_NO;
}

static enum MHD_Result read_body(struct exchange *exchange, const char *data, size_t size) {
  if (size > exchange->owner->max_body - exchange->body.size) exchange->too_long = true;
  if (exchange->too_long) return MHD_YES;
  return buffer_append(&exchange->body, data, size) ? MHD_YES : MHD_NO;
}

enum MHD_Result exchange_handle(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **context) {
  struct exchange *exchange = *context;
  (void)user, (void)url, (void)version;
  if (!exchange) return MHD_NO;
  if (!exchange->method) return read_head(exchange, method);
  if (*size > 0) {
    enum MHD_Result result = read_body(exchange, data, *size);
    *size = 0;
    return result;
  }
  if (exchange->too_long && !exchange->answered) {
    exchange->answered = true;
    exchange->status = MHD_HTTP_CONTENT_TOO_LARGE;
    exchange->response = mhd.MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
  }
  if (!exchange->answered) {
    exchange->suspended = true;
    mhd.MHD_suspend_connection(connection);
    loop_post(exchange->owner->loop, &exchange->event);
    return MHD_YES;
  }
  return exchange->response ? mhd.MHD_queue_response(connection, exchange->status, exchange->response) : MHD_NO;
}

/* -- for server.c ------------------------------------------------------------------------------------------------- */

void exchange_drop_all(struct exchanges *exchanges) {
  for (struct exchange *e = LIST_FIRST(&exchanges->list); e; e = LIST_NEXT(e, link)) resume(e);
}

const char *exchange_load(void) { return load_mhd(); }

void exchange_open(lua_State *L) { host_new_class(L, ANSWER, NULL, drop_unanswered); }
