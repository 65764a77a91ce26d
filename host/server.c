/* An HTTP server for this machine, on libmicrohttpd. Lua: require "host.server", used by `infra sim --port` and as the
 * scripted server of the specs.
 *
 *   listen { address = "127.0.0.1", port = 0, max_body = bytes } -> server | nil, err    (port 0: any free one)
 *   server:port()
 *   server:close()        drops what is under way; also through a to-be-closed variable. Until then it serves, held or
 *                         not by anybody
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
#include "exchange.h"
#include "host.h"
#include "lazy.h"
#include "loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_FUNCTIONS(X)                                                                                            \
  X(MHD_start_daemon)                                                                                                  \
  X(MHD_stop_daemon)                                                                                                   \
  X(MHD_run)                                                                                                           \
  X(MHD_get_timeout)                                                                                                   \
  X(MHD_get_daemon_info)
LAZY_LIBRARY(mhd, "libmicrohttpd.so.12", SERVER_FUNCTIONS)

#define SERVER "infra.server"

static const lua_Integer MAX_BODY = 256 * 1024 * 1024;
enum { CONNECTION_MEMORY = 128 * 1024 }; /* a request's headers have to fit into it */

/* The userdata that Lua holds. */
struct server {
  struct exchanges exchanges; /* first */
  struct MHD_Daemon *daemon;  /* NULL: closed */
  struct loop_watch watch;    /* libmicrohttpd's own epoll */
  int port;
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

/* -- the server --------------------------------------------------------------------------------------------------- */

static void run(struct server *server) {
  MHD_UNSIGNED_LONG_LONG milliseconds;
  mhd.MHD_run(server->daemon);
  bool again = mhd.MHD_get_timeout(server->daemon, &milliseconds) == MHD_YES;
  loop_timer_set(server->exchanges.loop, &server->exchanges.timer, again ? (long)milliseconds : -1);
}

static void server_ready(struct loop_watch *watch, uint32_t events) {
  (void)events;
  run((struct server *)((char *)watch - offsetof(struct server, watch)));
}

static void server_expired(struct loop_timer *timer) {
  run((struct server *)((char *)timer - offsetof(struct server, exchanges.timer)));
}

/* Also __gc and __close. */
static int close_server(lua_State *L) {
  struct server *server = luaL_checkudata(L, 1, SERVER);
  if (server->daemon) {
    exchange_drop_all(&server->exchanges);
    loop_unwatch(server->exchanges.loop, &server->watch);
    mhd.MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
  }
  loop_timer_set(server->exchanges.loop, &server->exchanges.timer, -1);
  loop_release(L, server);
  return 0;
}

static int get_port(lua_State *L) {
  struct server *server = luaL_checkudata(L, 1, SERVER);
  lua_pushinteger(L, server->port);
  return 1;
}

/* A listening socket, or -1 and errno. */
static int open_socket(const struct sockaddr_storage *address) {
  int on = 1, fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (const struct sockaddr *)address, sizeof *address) || listen(fd, SOMAXCONN)) {
    int problem = errno;
    close(fd);
    errno = problem;
    return -1;
  }
  return fd;
}

/* Returns 0 or an errno. Owns the socket from the first moment. */
static int start(struct server *server, int fd) {
  server->daemon = mhd.MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, exchange_handle, NULL,
                                        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin,
                                        &server->exchanges, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, NULL,
                                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                                        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
  if (!server->daemon) {
    close(fd);
    return ENOMEM;
  }
  server->port = mhd.MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
  int epoll = mhd.MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  server->watch = (struct loop_watch){.fd = epoll, .ready = server_ready};
  server->exchanges.timer.expired = server_expired;
  return loop_watch(server->exchanges.loop, &server->watch, EPOLLIN);
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
  if (!missing) missing = exchange_load();
  if (missing) return host_fail(L, "NoLibrary", "%s", missing);

  struct server *server = lua_newuserdatauv(L, sizeof *server, 0);
  *server = (struct server){.exchanges = {.loop = loop_of(L), .max_body = (size_t)max_body}};
  luaL_setmetatable(L, SERVER);
  int fd = open_socket(&address);
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
  exchange_open(L);
  loop_of(L);
  luaL_newlib(L, functions);
  return 1;
}
