/* The event loop: epoll, a queue of completions, and signals; see loop.h. Lua: require "host.loop", used by
 * infra.runtime.
 *
 *   wait(timeout)    waits until something completes, at most `timeout` seconds (nil: without limit), and returns an
 *                    array of events, possibly empty: { handle = userdata, ... } or { signal = "INT" }
 *   catch_signals()  from now on SIGINT and SIGTERM are such events, instead of ending the process */
#include "loop.h"
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define LOOP "infra.loop"
enum { BATCH = 128 };

/* A signal that is turned into an event. */
struct caught {
  struct loop_event event; /* first: push gets its address */
  int number;
  const char *name;
};
enum { SIGNALS = 2 };

struct loop {
  int epoll;                                     /* -1: closed */
  TAILQ_HEAD(event_queue, loop_event) completed; /* for loop.wait */
  TAILQ_HEAD(timer_list, loop_timer) timers;     /* those that are set: a handful */
  struct epoll_event ready[BATCH]; /* what epoll reported; data.ptr is the watch, or NULL when unwatched meanwhile */
  int ready_count;                 /* 0 outside of deliver */
  struct loop_watch signals;       /* the end of the signal pipe that is read */
  struct caught caught[SIGNALS];
};

/* The end of the signal pipe that the handler writes to. Signals belong to the process, so does this. */
static volatile sig_atomic_t signal_output = -1;

/* -- watches and events, for other primitives --------------------------------------------------------------------- */

int loop_watch(struct loop *loop, struct loop_watch *watch, uint32_t events) {
  struct epoll_event change = {.events = events, .data.ptr = watch};
  if (epoll_ctl(loop->epoll, watch->active ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd, &change)) return errno;
  watch->active = true;
  return 0;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch) {
  if (!watch->active) return;
  watch->active = false;
  epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  for (int i = 0; i < loop->ready_count; i++)
    if (loop->ready[i].data.ptr == watch) loop->ready[i].data.ptr = NULL;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, long milliseconds) {
  if (timer->set) TAILQ_REMOVE(&loop->timers, timer, link);
  timer->set = milliseconds >= 0;
  if (!timer->set) return;
  timer->at = now() + (double)milliseconds / 1e3;
  TAILQ_INSERT_TAIL(&loop->timers, timer, link);
}

/* The timer that expires first, or NULL. */
static struct loop_timer *next_timer(struct loop *loop) {
  struct loop_timer *next = TAILQ_FIRST(&loop->timers);
  for (struct loop_timer *timer = next; timer; timer = TAILQ_NEXT(timer, link))
    if (timer->at < next->at) next = timer;
  return next;
}

/* What is set meanwhile has its time at the next call. */
static void expire_timers(struct loop *loop) {
  struct loop_timer *timer;
  double until = now();
  while ((timer = next_timer(loop)) && timer->at <= until) {
    loop_timer_set(loop, timer, -1);
    timer->expired(timer);
  }
}

void loop_post(struct loop *loop, struct loop_event *event) {
  if (event->queued) return;
  event->queued = true;
  TAILQ_INSERT_TAIL(&loop->completed, event, link);
}

void loop_withdraw(struct loop *loop, struct loop_event *event) {
  if (!event->queued) return;
  event->queued = false;
  TAILQ_REMOVE(&loop->completed, event, link);
}

void loop_hold(lua_State *L, int index) {
  lua_pushvalue(L, index);
  lua_rawsetp(L, LUA_REGISTRYINDEX, lua_touserdata(L, -1));
}

void loop_push_held(lua_State *L, const void *userdata) { lua_rawgetp(L, LUA_REGISTRYINDEX, userdata); }

void loop_release(lua_State *L, const void *userdata) {
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, userdata);
}

/* -- signals ------------------------------------------------------------------------------------------------------ */

static void on_signal(int number) {
  const unsigned char byte = (unsigned char)number;
  int saved = errno;
  ssize_t written = write(signal_output, &byte, 1);
  (void)written; /* a full pipe already holds thousands of this signal */
  errno = saved;
}

static void signals_ready(struct loop_watch *watch, uint32_t events) {
  struct loop *loop = (struct loop *)((char *)watch - offsetof(struct loop, signals));
  unsigned char bytes[64];
  ssize_t count;
  (void)events;
  while ((count = read(watch->fd, bytes, sizeof bytes)) > 0)
    for (ssize_t i = 0; i < count; i++)
      for (int s = 0; s < SIGNALS; s++)
        if (loop->caught[s].number == bytes[i]) loop_post(loop, &loop->caught[s].event);
}

static void push_signal(lua_State *L, struct loop_event *event) {
  lua_createtable(L, 0, 1);
  lua_pushstring(L, ((struct caught *)event)->name);
  lua_setfield(L, -2, "signal");
}

static int catch_signals(lua_State *L) {
  struct loop *loop = loop_of(L);
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  int ends[2];
  if (loop->signals.active) return 0;
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) return luaL_error(L, "catch_signals: %s", strerror(errno));
  loop->signals.fd = ends[0];
  signal_output = ends[1];
  int problem = loop_watch(loop, &loop->signals, EPOLLIN);
  if (problem) {
    close(ends[0]);
    close(ends[1]);
    return luaL_error(L, "catch_signals: %s", strerror(problem));
  }
  for (int s = 0; s < SIGNALS; s++) sigaction(loop->caught[s].number, &action, NULL);
  return 0;
}

/* -- waiting ------------------------------------------------------------------------------------------------------ */

/* One look at epoll, for at most `timeout` seconds; calls what is ready. Returns the number of ready descriptors. */
static int deliver(struct loop *loop, double timeout) {
  const struct loop_timer *timer = next_timer(loop);
  double until_timer = timer ? timer->at - now() : HUGE_VAL;
  if (until_timer < timeout) timeout = until_timer > 0 ? until_timer : 0;
  /* Rounded up: a caller that waits for a moment in time shall not wake just before it. */
  double milliseconds = ceil(timeout * 1000);
  int count = epoll_wait(loop->epoll, loop->ready, BATCH, milliseconds < INT_MAX ? (int)milliseconds : INT_MAX);
  loop->ready_count = count > 0 ? count : 0;
  for (int i = 0; i < loop->ready_count; i++) {
    struct loop_watch *watch = loop->ready[i].data.ptr;
    if (watch) watch->ready(watch, loop->ready[i].events);
  }
  loop->ready_count = 0;
  expire_timers(loop);
  return count;
}

static int wait(lua_State *L) {
  double timeout = lua_isnoneornil(L, 1) ? HUGE_VAL : luaL_checknumber(L, 1);
  struct loop *loop = loop_of(L);
  double end = now() + timeout, left = TAILQ_EMPTY(&loop->completed) && timeout > 0 ? timeout : 0;
  /* Much happens that completes nothing: it is not worth a return to Lua. */
  for (;;) {
    if (deliver(loop, left) < 0 && errno != EINTR) return luaL_error(L, "wait: %s", strerror(errno));
    if (!TAILQ_EMPTY(&loop->completed) || left <= 0) break;
    left = end - now();
    if (left <= 0) break;
  }
  lua_newtable(L);
  struct loop_event *event;
  for (lua_Integer i = 1; (event = TAILQ_FIRST(&loop->completed)); i++) {
    loop_withdraw(loop, event);
    event->push(L, event);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* -- the loop of a Lua state -------------------------------------------------------------------------------------- */

static int finalise(lua_State *L) {
  struct loop *loop = luaL_checkudata(L, 1, LOOP);
  if (loop->epoll < 0) return 0;
  if (loop->signals.active) {
    for (int s = 0; s < SIGNALS; s++) signal(loop->caught[s].number, SIG_DFL);
    loop_unwatch(loop, &loop->signals);
    close(loop->signals.fd);
    close(signal_output);
    signal_output = -1;
  }
  close(loop->epoll);
  loop->epoll = -1;
  return 0;
}

struct loop *loop_of(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, LOOP ".instance") == LUA_TNIL) {
    lua_pop(L, 1);
    host_new_class(L, LOOP, NULL, finalise);
    struct loop *loop = lua_newuserdatauv(L, sizeof *loop, 0);
    memset(loop, 0, sizeof *loop);
    loop->epoll = -1;
    TAILQ_INIT(&loop->completed);
    TAILQ_INIT(&loop->timers);
    loop->signals.ready = signals_ready;
    loop->caught[0] = (struct caught){{.push = push_signal}, SIGINT, "INT"};
    loop->caught[1] = (struct caught){{.push = push_signal}, SIGTERM, "TERM"};
    luaL_setmetatable(L, LOOP);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0) luaL_error(L, "epoll: %s", strerror(errno));
    signal(SIGPIPE, SIG_IGN);
    lua_setfield(L, LUA_REGISTRYINDEX, LOOP ".instance");
    lua_getfield(L, LUA_REGISTRYINDEX, LOOP ".instance");
  }
  struct loop *loop = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return loop;
}

int open_loop(lua_State *L) {
  static const luaL_Reg functions[] = {{"wait", wait}, {"catch_signals", catch_signals}, {NULL, NULL}};
  loop_of(L);
  luaL_newlib(L, functions);
  return 1;
}
