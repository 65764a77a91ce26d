/* The HTTP client, on libcurl (connections.c). Lua: require "host.http", used by infra.runtime.
 *
 *   start(request) -> handle | nil, err      Returns at once. The loop's event is { handle, response = { status,
 *                                            headers = { lower_name = value }, body } } or { handle, error = err }.
 *   handle:cancel()                          Gives up; no event comes any more. Harmless after the end.
 *
 * request = {
 *   method, url        "GET", "https://..."; the path goes out exactly as it is written
 *   headers            { {name, value}, ... }: exactly these, and what HTTP itself needs (Host, Content-Length)
 *   body               string; any method but HEAD
 *   body_from          { path, offset (0), size (the rest) }: instead of body, that part of a file, read as it goes
 *   timeout            seconds for everything (300), of which connect_timeout (10) until the request can be sent
 *   stall_timeout      seconds in which nothing moves, after which it is over (none)
 *   ca_file            certificates to trust instead of the system's
 *   no_proxy           true: straight there, whatever the environment says
 *   max_body           bytes of response that are kept in memory (256 MiB)
 *   body_to            a path: the body of a 2xx response is written there (mode 0600), and not kept in memory. The
 *                      file appears, or is replaced (the one that a link means), once it is whole; a device or a
 *                      pipe is written to directly
 * }
 *
 * err.code is "ConnectionError", "Timeout", "TlsError", "ResolveError", "BodyTooLarge", "HeadersTooLarge", "BadUrl",
 * "NoLibrary", for files "FileChanged" (shorter than it was), "BadFile" (not a file) or errno's name. err.sent is false
 * when the request surely never left; every start sends at most once, so what a server saw twice was started twice.
 *
 * Certificates are always verified, proxies are taken from the environment (https_proxy, no_proxy, ...), redirects are
 * not followed. Connections are kept and used again. Of many requests 256 run at a time, and the others wait for their
 * turn, which no timeout counts. */
#include "headers.h"
#include "host.h"
#include "transfer.h"

#include <string.h>
#include <strings.h>

#define CLIENT "infra.http.client"
#define REQUEST "infra.http.request"

static const lua_Integer MAX_BODY = 256 * 1024 * 1024;
enum { USUAL_HEADERS = 8 }; /* of a response: the room that its table begins with */

/* One for a Lua state. */
struct client {
  struct loop *loop;
  struct connections *connections; /* NULL until the first request, and when closed */
  bool closed;
};

/* The userdata that Lua holds. Its user values keep what it points to. */
enum { BODY = 1, HEADERS, THE_CLIENT, USER_VALUES = THE_CLIENT };
struct request {
  struct loop_event event; /* first: push gets its address */
  struct transfer transfer;
  struct client *client;
};

/* -- the end of a request ----------------------------------------------------------------------------------------- */

/* Also __gc and __close. */
static int cancel(lua_State *L) {
  struct request *request = luaL_checkudata(L, 1, REQUEST);
  transfer_close(&request->transfer);
  loop_withdraw(request->client->loop, &request->event);
  loop_release(L, request);
  return 0;
}

static void push_error(lua_State *L, const char *code, const char *message, bool sent) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
  lua_pushstring(L, message);
  lua_setfield(L, -2, "message");
  lua_pushboolean(L, sent);
  lua_setfield(L, -2, "sent");
  luaL_setmetatable(L, INFRA_ERROR);
}

static void push_response(lua_State *L, struct transfer *transfer) {
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, transfer->status);
  lua_setfield(L, -2, "status");
  lua_createtable(L, 0, USUAL_HEADERS);
  for (struct curl_header *header = NULL; (header = transfer_next_header(transfer, header));)
    headers_add(L, header->name, header->value);
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, transfer->body.data ? transfer->body.data : "", transfer->body.size);
  lua_setfield(L, -2, "body");
}

/* The event of a request that has ended; its handle is closed then. */
static void push_event(lua_State *L, struct loop_event *event) {
  struct request *request = (struct request *)event;
  struct transfer *transfer = &request->transfer;
  lua_createtable(L, 0, 2);
  if (transfer->error)
    push_error(L, transfer->error, transfer->reason, transfer->times_sent > 0);
  else
    push_response(L, transfer);
  lua_setfield(L, -2, transfer->error ? "error" : "response");
  loop_push_held(L, request);
  lua_setfield(L, -2, "handle");
  transfer_close(transfer);
  loop_release(L, request);
}

static void on_end(struct transfer *transfer) {
  struct request *request = transfer->owner;
  loop_post(request->client->loop, &request->event);
}

/* -- the start of a request --------------------------------------------------------------------------------------- */

/* A field of the request that goes into a line of its own, or into a C function: no NUL, no line break. */
static const char *read_text(lua_State *L, int table, const char *field, bool required) {
  size_t size;
  int type = lua_getfield(L, table, field);
  if (type == LUA_TNIL && !required) return NULL;
  const char *text = type == LUA_TSTRING ? lua_tolstring(L, -1, &size) : NULL;
  if (!text || strcspn(text, "\r\n") != size)
    luaL_argerror(L, 1, lua_pushfstring(L, "'%s' must be a string of one line", field));
  return text;
}

static long read_seconds(lua_State *L, const char *field, double otherwise) {
  int type = lua_getfield(L, 1, field);
  double seconds = type == LUA_TNIL ? otherwise : lua_tonumber(L, -1);
  lua_pop(L, 1);
  if (!(seconds > 0 && seconds < 1e6))
    luaL_argerror(L, 1, lua_pushfstring(L, "'%s' must be a positive number of seconds", field));
  return (long)(seconds * 1000) + 1;
}

/* A part of a file as the request's body. The path stays on the stack. */
static void read_source(lua_State *L, struct transfer_options *options) {
  options->from_size = -1;
  int type = lua_getfield(L, 1, "body_from"), source = lua_gettop(L);
  if (type == LUA_TNIL) return;
  luaL_argcheck(L, type == LUA_TTABLE && !options->body, 1,
                "'body_from' must be { path, offset, size }, without 'body'");
  lua_getfield(L, source, "offset");
  options->from_offset = luaL_optinteger(L, -1, 0);
  if (lua_getfield(L, source, "size") != LUA_TNIL) options->from_size = luaL_checkinteger(L, -1);
  luaL_argcheck(L, options->from_offset >= 0 && options->from_size >= -1, 1, "'offset' or 'size' is negative");
  options->body_from = read_text(L, source, "path", true);
}

/* The strings stay on the stack. */
static void read_options(lua_State *L, struct transfer_options *options) {
  luaL_checktype(L, 1, LUA_TTABLE);
  *options = (struct transfer_options){
      .method = read_text(L, 1, "method", true),
      .url = read_text(L, 1, "url", true),
      .ca_file = read_text(L, 1, "ca_file", false),
      .body_to = read_text(L, 1, "body_to", false),
      .timeout = read_seconds(L, "timeout", 300),
      .connect_timeout = read_seconds(L, "connect_timeout", 10),
  };
  lua_getfield(L, 1, "stall_timeout");
  options->stall_timeout = (long)luaL_optinteger(L, -1, 0);
  luaL_argcheck(L, options->stall_timeout >= 0, 1, "'stall_timeout' must not be negative");
  lua_getfield(L, 1, "no_proxy");
  options->no_proxy = lua_toboolean(L, -1);
  lua_getfield(L, 1, "max_body");
  lua_Integer max_body = luaL_optinteger(L, -1, MAX_BODY);
  luaL_argcheck(L, max_body >= 0, 1, "'max_body' must not be negative");
  options->max_body = (size_t)max_body;
  int type = lua_getfield(L, 1, "body");
  luaL_argcheck(L, type == LUA_TNIL || type == LUA_TSTRING, 1, "'body' must be a string");
  options->body = lua_tolstring(L, -1, &options->body_size);
  read_source(L, options);
  luaL_argcheck(L, (!options->body && !options->body_from) || strcmp(options->method, "HEAD") != 0, 1,
                "HEAD has no body");
}

/* Adds the i-th header of the table at `list` as a line of its own; false when there is none. */
static bool add_header(lua_State *L, int list, lua_Integer i, luaL_Buffer *lines) {
  int top = lua_gettop(L); /* the buffer is there */
  if (lua_rawgeti(L, list, i) == LUA_TNIL) {
    lua_settop(L, top);
    return false;
  }
  luaL_argcheck(L, lua_istable(L, -1), 1, "'headers' must be an array of {name, value}");
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  headers_check(L, 1, -2, -1);
  const char *name = lua_tostring(L, -2), *value = lua_tostring(L, -1);
  lua_settop(L, top); /* the table still holds both */
  luaL_addstring(lines, name);
  luaL_addstring(lines, *value ? ": " : ";"); /* libcurl's way to write an empty value */
  luaL_addstring(lines, value);
  luaL_addchar(lines, '\0');
  return true;
}

/* Only what the caller signed, and what HTTP needs: these take back what libcurl adds by itself. */
static const char TAKEN_BACK[] = "Accept:\0Expect:\0Content-Type:";
enum { TAKEN_BACK_LINES = 3 };

/* The headers as libcurl takes them; the userdata on top of the stack keeps them. */
static struct curl_slist *push_headers(lua_State *L) {
  luaL_Buffer lines;
  size_t count = TAKEN_BACK_LINES;
  int type = lua_getfield(L, 1, "headers"), list = lua_gettop(L);
  luaL_argcheck(L, type == LUA_TNIL || type == LUA_TTABLE, 1, "'headers' must be an array of {name, value}");
  luaL_buffinit(L, &lines);
  luaL_addlstring(&lines, TAKEN_BACK, sizeof TAKEN_BACK);
  for (lua_Integer i = 1; type == LUA_TTABLE && add_header(L, list, i, &lines); i++) count++;
  luaL_pushresult(&lines);
  char *line = (char *)lua_tostring(L, -1);
  struct curl_slist *headers = lua_newuserdatauv(L, count * sizeof *headers, 1);
  for (size_t i = 0; i < count; i++) {
    headers[i] = (struct curl_slist){line, i + 1 < count ? &headers[i + 1] : NULL};
    line += strlen(line) + 1;
  }
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, 1);
  return headers;
}

static int fail_unsent(lua_State *L, const char *code, const char *message) {
  lua_pushnil(L);
  push_error(L, code, message, false);
  return 2;
}

static int start(lua_State *L) {
  struct client *client = lua_touserdata(L, lua_upvalueindex(1));
  struct transfer_options options;
  const char *problem;
  lua_settop(L, 1);
  luaL_checkstack(L, 40, "request");
  read_options(L, &options);
  options.headers = push_headers(L);
  int headers = lua_gettop(L);
  if (client->closed) return luaL_error(L, "the program is ending");
  if (strncasecmp(options.url, "http://", 7) != 0 && strncasecmp(options.url, "https://", 8) != 0)
    return fail_unsent(L, "BadUrl", "the URL begins neither with http:// nor with https://");
  if (!client->connections) client->connections = connections_new(client->loop, transfer_ended, &problem);
  if (!client->connections) return fail_unsent(L, "NoLibrary", problem);

  struct request *request = lua_newuserdatauv(L, sizeof *request, USER_VALUES);
  int handle = lua_gettop(L);
  *request = (struct request){.event.push = push_event, .client = client};
  request->transfer.ended = on_end;
  request->transfer.owner = request;
  luaL_setmetatable(L, REQUEST);
  lua_getfield(L, 1, "body");
  lua_setiuservalue(L, handle, BODY);
  lua_pushvalue(L, headers);
  lua_setiuservalue(L, handle, HEADERS);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_setiuservalue(L, handle, THE_CLIENT);
  problem = transfer_open(&request->transfer, client->connections);
  if (problem) return fail_unsent(L, "NoLibrary", problem);
  if (!transfer_start(&request->transfer, &options))
    return fail_unsent(L, request->transfer.error, request->transfer.reason);
  loop_hold(L, handle);
  lua_settop(L, handle);
  return 1;
}

static int close_client(lua_State *L) {
  struct client *client = luaL_checkudata(L, 1, CLIENT);
  connections_free(client->connections);
  client->connections = NULL;
  client->closed = true;
  return 0;
}

int open_http(lua_State *L) {
  static const luaL_Reg methods[] = {{"cancel", cancel}, {NULL, NULL}};
  host_new_class(L, CLIENT, NULL, close_client);
  host_new_class(L, REQUEST, methods, cancel);
  lua_newtable(L);
  struct loop *loop = loop_of(L);
  struct client *client = lua_newuserdatauv(L, sizeof *client, 0);
  *client = (struct client){.loop = loop};
  luaL_setmetatable(L, CLIENT);
  lua_pushcclosure(L, start, 1);
  lua_setfield(L, -2, "start");
  return 1;
}
