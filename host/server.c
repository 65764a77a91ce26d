/* An HTTP server for this machine, on libmicrohttpd. Lua: require "host.server", used by `infra sim --port` and as the
 * scripted server of the specs.
 *
 *   listen { address = "127.0.0.1", port = 0, max_body = bytes } -> server | nil, err    (port 0: any free one)
 *   server:port()
 *   server:close()        drops what is under way; also when collected or through a to-be-closed variable
 *
 * The loop's event is { handle = server, request = {
 *   method, path, query     as they came: the path still encoded, the query without "?", "" if there is none
 *   headers                 { lower_name = value }
 *   body                    string; a longer one than max_body (256 MiB) is answered with 413 and not seen here
 *   client_port             tells connections apart
 *   respond                 function(status, headers, body), once: headers is { name = value } or nil, body a string or
 *                           nil. For HEAD the headers may have a Content-Length. Without arguments it drops the
 *                           connection. Returns false when the client has gone.
 * } }. A request that nobody can answer any more, because `respond` was collected, is dropped. */
#include "buffer.h"
#include "headers.h"
#include "host.h"
#include "lazy.h"
#include "loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_FUNCTIONS(X)                                                                                            \
  X(MHD_start_daemon)                                                                                                  \
  X(MHD_stop_daemon)                                                                                                   \
  X(MHD_run)                                                                                                           \
  X(MHD_get_timeout)                                                                                                   \
  X(MHD_get_daemon_info)                                                                                               \
  X(MHD_get_connection_info)                                                                                           \
  X(MHD_get_connection_values)                                                                                         \
  X(MHD_suspend_connection)                                                                                            \
  X(MHD_resume_connection)                                                                                             \
  X(MHD_create_response_from_buffer)                                                                                   \
  X(MHD_create_response_from_callback)                                                                                 \
  X(MHD_add_response_header)                                                                                           \
  X(MHD_queue_response)                                                                                                \
  X(MHD_destroy_response)
LAZY_LIBRARY(mhd, "libmicrohttpd.so.12", SERVER_FUNCTIONS)

#define SERVER "infra.server"
#define ANSWER "infra.server.answer"

static const lua_Integer MAX_BODY = 256 * 1024 * 1024;
enum { CONNECTION_MEMORY = 128 * 1024 }; /* a request's headers have to fit into it */

/* The userdata that Lua holds. */
struct server {
  struct loop *loop;
  struct MHD_Daemon *daemon; /* NULL: closed */
  struct loop_watch watch;   /* libmicrohttpd's own epoll */
  struct loop_timer timer;   /* when it wants to be called next */
  LIST_HEAD(exchange_list, exchange) exchanges;
  size_t max_body;
  int port;
};

/* A request and its response; libmicrohttpd says when it begins and ends. */
struct exchange {
  struct loop_event event; /* first: push gets its address */
  struct server *server;
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

/* -- addresses ---------------------------------------------------------------------------------------------------- */

static bool parse_address(struct sockaddr_storage *address, const char *host, int port) {
  struct sockaddr_in *four = (struct sockaddr_in *)address;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
  memset(address, 0, sizeof *address);
  if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
  } else if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)port);
  }
  return address->ss_family != 0;
}

static int port_of(const struct sockaddr *address) {
  return ntohs(address->sa_family == AF_INET ? ((const struct sockaddr_in *)address)->sin_port
                                             : ((const struct sockaddr_in6 *)address)->sin6_port);
}

/* -- an exchange -------------------------------------------------------------------------------------------------- */

/* Lets libmicrohttpd go on with what was decided. */
static void resume(struct exchange *exchange) {
  exchange->answered = true;
  if (!exchange->suspended) return;
  exchange->suspended = false;
  mhd.MHD_resume_connection(exchange->connection);
  loop_timer_set(exchange->server->loop, &exchange->server->timer, 0); /* only its run sees that */
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
  loop_push_held(L, exchange->server);
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

/* MHD_OPTION_URI_LOG_CALLBACK: a request begins; what it returns is the request's context from then on. The only place
 * that sees the URI undecoded. */
static void *begin(void *user, const char *uri, struct MHD_Connection *connection) {
  struct server *server = user;
  struct exchange *exchange = calloc(1, sizeof *exchange);
  if (!exchange) return NULL;
  exchange->event.push = push_request;
  exchange->server = server;
  exchange->connection = connection;
  exchange->uri = strdup(uri);
  LIST_INSERT_HEAD(&server->exchanges, exchange, link);
  return exchange;
}

/* MHD_OPTION_NOTIFY_COMPLETED: a request ends, one way or another. */
static void end(void *user, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode how) {
  struct exchange *exchange = *context;
  (void)user, (void)connection, (void)how;
  if (!exchange) return;
  loop_withdraw(exchange->server->loop, &exchange->event);
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
  if (size > exchange->server->max_body - exchange->body.size) exchange->too_long = true;
  if (exchange->too_long) return MHD_YES;
  return buffer_append(&exchange->body, data, size) ? MHD_YES : MHD_NO;
}

/* Called when the head is there, for every part of the body, when the request is complete, and again after the
 * connection was resumed. MHD_NO drops the connection. */
static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url, const char *method,
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
    loop_post(exchange->server->loop, &exchange->event);
    return MHD_YES;
  }
  return exchange->response ? mhd.MHD_queue_response(connection, exchange->status, exchange->response) : MHD_NO;
}

/* -- the server --------------------------------------------------------------------------------------------------- */

static void run(struct server *server) {
  MHD_UNSIGNED_LONG_LONG milliseconds;
  mhd.MHD_run(server->daemon);
  bool again = mhd.MHD_get_timeout(server->daemon, &milliseconds) == MHD_YES;
  loop_timer_set(server->loop, &server->timer, again ? (long)milliseconds : -1);
}

static void server_ready(struct loop_watch *watch, uint32_t events) {
  (void)events;
  run((struct server *)((char *)watch - offsetof(struct server, watch)));
}

static void server_expired(struct loop_timer *timer) {
  run((struct server *)((char *)timer - offsetof(struct server, timer)));
}

/* Also __gc and __close. */
static int close_server(lua_State *L) {
  struct server *server = luaL_checkudata(L, 1, SERVER);
  if (server->daemon) {
    for (struct exchange *e = LIST_FIRST(&server->exchanges); e; e = LIST_NEXT(e, link)) resume(e);
    loop_unwatch(server->loop, &server->watch);
    mhd.MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
  }
  loop_timer_set(server->loop, &server->timer, -1);
  loop_release(L, server);
  return 0;
}

static int get_port(lua_State *L) {
  struct server *server = luaL_checkudata(L, 1, SERVER);
  lua_pushinteger(L, server->port);
  return 1;
}

/* A listening socket, or -1 and errno. */
static int open_socket(const struct sockaddr_storage *address, int *port) {
  struct sockaddr_storage bound;
  socklen_t size = sizeof bound;
  int on = 1, fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (const struct sockaddr *)address, sizeof *address) || listen(fd, SOMAXCONN) ||
      getsockname(fd, (struct sockaddr *)&bound, &size)) {
    int problem = errno;
    close(fd);
    errno = problem;
    return -1;
  }
  *port = port_of((struct sockaddr *)&bound);
  return fd;
}

/* Returns 0 or an errno. Owns the socket from the first moment. */
static int start(struct server *server, int fd) {
  struct loop *loop = server->loop;
  server->daemon =
      mhd.MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, NULL,
                           MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, begin, server,
                           MHD_OPTION_NOTIFY_COMPLETED, end, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                           (size_t)CONNECTION_MEMORY, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
  if (!server->daemon) {
    close(fd);
    return ENOMEM;
  }
  const union MHD_DaemonInfo *info = mhd.MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  server->watch = (struct loop_watch){.fd = info->epoll_fd, .ready = server_ready};
  server->timer.expired = server_expired;
  return loop_watch(loop, &server->watch, EPOLLIN);
}

static int start_listening(lua_State *L) {
  struct sockaddr_storage address;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "address");
  lua_getfield(L, 1, "port");
  lua_getfield(L, 1, "max_body");
  const char *host = luaL_optstring(L, 2, "127.0.0.1");
  lua_Integer port = luaL_optinteger(L, 3, 0), max_body = luaL_optinteger(L, 4, MAX_BODY);
  luaL_argcheck(L, port >= 0 && port <= 65535, 1, "'port' must be 0 to 65535");
  luaL_argcheck(L, max_body >= 0, 1, "'max_body' must not be negative");
  luaL_argcheck(L, parse_address(&address, host, (int)port), 1, "'address' must be an IP address");
  const char *missing = load_mhd();
  if (missing) return host_fail(L, "NoLibrary", "%s", missing);

  struct server *server = lua_newuserdatauv(L, sizeof *server, 0);
  *server = (struct server){.loop = loop_of(L), .max_body = (size_t)max_body};
  luaL_setmetatable(L, SERVER);
  int fd = open_socket(&address, &server->port);
  int problem = fd < 0 ? errno : start(server, fd);
  if (problem) {
    char what[128];
    snprintf(what, sizeof what, "listening on %s port %d", host, (int)port);
    return host_fail_errno(L, problem, what);
  }
  loop_hold(L, -1);
  return 1;
}

int open_server(lua_State *L) {
  static const luaL_Reg methods[] = {{"port", get_port}, {"close", close_server}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"listen", start_listening}, {NULL, NULL}};
  host_new_class(L, SERVER, methods, close_server);
  host_new_class(L, ANSWER, NULL, drop_unanswered);
  loop_of(L);
  luaL_newlib(L, functions);
  return 1;
}
