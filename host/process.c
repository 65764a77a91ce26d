/* This process and its children, for Lua: require "host.process". Used for the environment, for telling holders of the
 * state's lock apart, and by whatever runs another program (credential_process, Graphviz).
 *
 *   process.environment(name)                -> string | nil
 *   process.set_environment(name, value)     value nil unsets; for specs of what libcurl reads there itself (proxies)
 *   process.pid(), process.hostname()
 *   process.start { argv = {...}, stdin = s, environment = { NAME = value | false }, timeout = seconds }
 *                                            -> handle | nil, err
 *   handle:cancel()                          kills the program, if it still runs; there will be no event
 *
 * start looks argv[1] up in PATH. stdin is empty by default; environment adds to this process's (false removes).
 *
 * The loop's event is { handle, status, stdout, stderr }, once the program has ended and closed its output. status is
 * the exit code, or 128 + the number of the signal that ended it, as in a shell; 127 when somebody else collected the
 * process. When time is up the program is killed and the event also has error (ETIMEDOUT).
 *
 * A program has a session of its own: Ctrl-C does not reach it, it cannot ask the user for anything, and what it has
 * started in turn is killed with it. */
#include "host.h"

#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD "infra.process.child"

enum { READ_SIZE = 64 * 1024 };
enum { UNKNOWN_STATUS = W_EXITCODE(127, 0) }; /* as a shell tells one that it cannot know */

/* What the loop watches for a child: our ends of its three pipes, its pidfd, and the time that it has. */
enum { INPUT, OUTPUT, ERRORS, EXIT, TIMER, CHANNELS };

struct channel {
  struct loop_watch watch; /* first, so that a watch is its channel; fd is -1 when closed */
  struct child *child;
  char *bytes; /* INPUT: what is left to write, owned by Lua. OUTPUT, ERRORS: what was read */
  size_t length, capacity;
};

struct child {
  struct loop_event event; /* first, so that an event is its child */
  struct loop *loop;
  pid_t pid; /* 0 when there is none; stays a zombie until it is over for us too, so that pid and group are ours */
  bool exited;
  int status;
  int error; /* errno of what made us kill it */
  struct channel channels[CHANNELS];
};

/* -- a running child: called by the loop, without Lua ----------------------------------------------------------- */

static void close_channel(struct channel *channel) {
  if (channel->watch.fd < 0) return;
  loop_unwatch(channel->child->loop, &channel->watch);
  close(channel->watch.fd);
  channel->watch.fd = -1;
}

/* Gives back everything but what was read. Waits for the process, which has ended or been killed. */
static void release(struct child *child) {
  if (child->pid) TEMP_FAILURE_RETRY(waitpid(child->pid, &child->status, 0));
  child->pid = 0;
  for (int i = 0; i < CHANNELS; i++) close_channel(&child->channels[i]);
}

static void finish_if_over(struct child *child) {
  bool reading = child->channels[OUTPUT].watch.fd >= 0 || child->channels[ERRORS].watch.fd >= 0;
  if (!child->exited || (reading && !child->error)) return;
  release(child);
  loop_post(child->loop, &child->event);
}

static void stop(struct child *child, int error) {
  if (!child->error) child->error = error;
  if (child->pid) kill(-child->pid, SIGKILL);
  finish_if_over(child);
}

static void write_input(struct loop_watch *watch, uint32_t events) {
  struct channel *channel = (struct channel *)watch;
  ssize_t count = write(watch->fd, channel->bytes, channel->length);
  (void)events;
  if (count >= 0) {
    channel->bytes += count;
    channel->length -= (size_t)count;
  } else if (errno == EAGAIN || errno == EINTR) {
    return;
  }
  /* A program may end or close its input without reading it all. */
  if (count < 0 || channel->length == 0) close_channel(channel);
}

static void read_output(struct loop_watch *watch, uint32_t events) {
  struct channel *channel = (struct channel *)watch;
  (void)events;
  if (channel->capacity - channel->length < READ_SIZE) {
    size_t capacity = 2 * channel->capacity + READ_SIZE;
    char *grown = realloc(channel->bytes, capacity);
    if (!grown) {
      stop(channel->child, ENOMEM);
      return;
    }
    channel->bytes = grown;
    channel->capacity = capacity;
  }
  ssize_t count = read(watch->fd, channel->bytes + channel->length, channel->capacity - channel->length);
  if (count > 0) {
    channel->length += (size_t)count;
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    close_channel(channel);
    finish_if_over(channel->child);
  }
}

static void see_exit(struct loop_watch *watch, uint32_t events) {
  struct channel *channel = (struct channel *)watch;
  siginfo_t info = {0};
  (void)events;
  /* ECHILD: somebody else collected it, and its number may be another's by now. */
  if (waitid(P_PID, (id_t)channel->child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
    channel->child->pid = 0;
  else if (info.si_pid == 0)
    return;
  channel->child->exited = true;
  close_channel(channel);
  finish_if_over(channel->child);
}

static void see_timeout(struct loop_watch *watch, uint32_t events) {
  struct channel *channel = (struct channel *)watch;
  uint64_t expirations;
  (void)events;
  if (read(watch->fd, &expirations, sizeof expirations) < 0) return;
  stop(channel->child, ETIMEDOUT);
}

/* -- starting: each returns 0 or an errno; what was opened is released by the caller ---------------------------- */

/* Makes a pipe: its end number `ours` belongs to the channel and does not block, the other is *theirs. */
static int open_pipe(struct channel *channel, int ours, int *theirs) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return errno;
  channel->watch.fd = ends[ours];
  *theirs = ends[!ours];
  return fcntl(ends[ours], F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
}

static int open_timer(struct channel *channel, double seconds) {
  double whole;
  struct itimerspec time = {.it_value.tv_nsec = (long)(modf(seconds, &whole) * 1e9)};
  time.it_value.tv_sec = (time_t)whole;
  channel->watch.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  return channel->watch.fd < 0 || timerfd_settime(channel->watch.fd, 0, &time, NULL) < 0 ? errno : 0;
}

/* Starts argv with `ends` as its standard descriptors, with every signal as it is in a fresh process. */
static int spawn(struct child *child, char **argv, char **environment, const int ends[3]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return error;
  error = posix_spawnattr_init(&attributes);
  if (error) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  for (int i = 0; i < 3 && !error; i++) error = posix_spawn_file_actions_adddup2(&actions, ends[i], i);
  pid_t pid;
  if (!error) error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environment);
  if (!error) child->pid = pid;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

static int watch(struct child *child) {
  static void (*const ready[CHANNELS])(struct loop_watch *, uint32_t) = {write_input, read_output, read_output,
                                                                         see_exit, see_timeout};
  int error = 0;
  for (int i = 0; i < CHANNELS && !error; i++) {
    struct loop_watch *w = &child->channels[i].watch;
    w->ready = ready[i];
    if (w->fd >= 0) error = loop_watch(child->loop, w, i == INPUT ? EPOLLOUT : EPOLLIN);
  }
  return error;
}

static int start(struct child *child, char **argv, char **environment, double timeout) {
  int ends[3] = {-1, -1, -1};
  int error = open_pipe(&child->channels[INPUT], 1, &ends[INPUT]);
  for (int i = OUTPUT; i <= ERRORS && !error; i++) error = open_pipe(&child->channels[i], 0, &ends[i]);
  if (!error) error = spawn(child, argv, environment, ends);
  for (int i = 0; i < 3; i++)
    if (ends[i] >= 0) close(ends[i]);
  if (error) return error;
  child->channels[EXIT].watch.fd = pidfd_open(child->pid, 0);
  if (child->channels[EXIT].watch.fd < 0) return errno;
  if (timeout > 0) error = open_timer(&child->channels[TIMER], timeout);
  return error ? error : watch(child);
}

/* -- children in Lua -------------------------------------------------------------------------------------------- */

static void forget_output(struct child *child) {
  for (int i = OUTPUT; i <= ERRORS; i++) {
    struct channel *channel = &child->channels[i];
    free(channel->bytes);
    channel->bytes = NULL;
    channel->length = channel->capacity = 0;
  }
}

/* Method, __gc and __close. */
static int child_cancel(lua_State *L) {
  struct child *child = luaL_checkudata(L, 1, CHILD);
  if (child->pid) kill(-child->pid, SIGKILL);
  release(child);
  forget_output(child);
  loop_withdraw(child->loop, &child->event);
  loop_release(L, child);
  return 0;
}

static void push_event(lua_State *L, struct loop_event *event) {
  struct child *child = (struct child *)event;
  lua_createtable(L, 0, 5);
  loop_push_held(L, child);
  lua_setfield(L, -2, "handle");
  lua_pushinteger(L, WIFEXITED(child->status) ? WEXITSTATUS(child->status) : 128 + WTERMSIG(child->status));
  lua_setfield(L, -2, "status");
  lua_pushlstring(L, child->channels[OUTPUT].bytes, child->channels[OUTPUT].length);
  lua_setfield(L, -2, "stdout");
  lua_pushlstring(L, child->channels[ERRORS].bytes, child->channels[ERRORS].length);
  lua_setfield(L, -2, "stderr");
  if (child->error) {
    host_fail_errno(L, child->error, "program killed");
    lua_setfield(L, -3, "error");
    lua_pop(L, 1);
  }
  forget_output(child);
  loop_release(L, child);
}

static const char *check_text(lua_State *L, const char *what) {
  if (lua_type(L, -1) != LUA_TSTRING || strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
    luaL_error(L, "%s: strings without NUL bytes wanted", what);
  return lua_tostring(L, -1);
}

/* The array at the top of the stack as a C array, in a userdata pushed above it; it keeps the strings. */
static char **check_argv(lua_State *L) {
  luaL_argcheck(L, lua_istable(L, -1) && lua_rawlen(L, -1) > 0, 1, "argv wanted");
  size_t count = lua_rawlen(L, -1);
  char **argv = lua_newuserdatauv(L, (count + 1) * sizeof *argv, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    argv[i] = (char *)check_text(L, "argv");
    lua_pop(L, 1);
  }
  argv[count] = NULL;
  return argv;
}

/* This process's environment with the changes in the table at `changes`, as a C array in a userdata on the top of the
 * stack; the strings stay in a table below it. */
static char **push_environment(lua_State *L, int changes) {
  size_t count = 0;
  lua_newtable(L);
  int entries = lua_gettop(L);
  for (char **entry = environ; *entry; entry++, count++) {
    lua_pushlstring(L, *entry, strcspn(*entry, "="));
    lua_pushstring(L, *entry);
    lua_rawset(L, entries);
  }
  for (lua_pushnil(L); lua_next(L, changes); count++) {
    lua_pushvalue(L, -2);
    const char *name = check_text(L, "environment");
    lua_insert(L, -2);
    if (lua_toboolean(L, -1)) {
      lua_pushfstring(L, "%s=%s", name, check_text(L, "environment"));
      lua_replace(L, -2);
    } else {
      lua_pop(L, 1);
      lua_pushnil(L);
    }
    lua_rawset(L, entries);
  }
  char **environment = lua_newuserdatauv(L, (count + 1) * sizeof *environment, 0);
  count = 0;
  for (lua_pushnil(L); lua_next(L, entries); lua_pop(L, 1)) environment[count++] = (char *)lua_tostring(L, -1);
  environment[count] = NULL;
  return environment;
}

static int process_start(lua_State *L) {
  size_t length = 0;
  char **environment = environ;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "argv");
  char **argv = check_argv(L);
  lua_getfield(L, 1, "timeout");
  double timeout = luaL_optnumber(L, -1, 0);
  luaL_argcheck(L, timeout >= 0 && timeout < INT_MAX, 1, "timeout: seconds wanted");
  if (lua_getfield(L, 1, "environment") != LUA_TNIL) {
    luaL_checktype(L, -1, LUA_TTABLE);
    environment = push_environment(L, lua_gettop(L));
  }
  lua_getfield(L, 1, "stdin");
  const char *input = luaL_optlstring(L, -1, "", &length);

  struct child *child = lua_newuserdatauv(L, sizeof *child, 1);
  *child = (struct child){.event.push = push_event, .loop = loop_of(L), .status = UNKNOWN_STATUS};
  for (int i = 0; i < CHANNELS; i++) child->channels[i] = (struct channel){.watch.fd = -1, .child = child};
  child->channels[INPUT].bytes = (char *)input;
  child->channels[INPUT].length = length;
  luaL_setmetatable(L, CHILD);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, 1); /* stdin, until it is written */

  int error = start(child, argv, environment, timeout);
  if (error) {
    if (child->pid) kill(-child->pid, SIGKILL);
    release(child);
    return host_fail_errno(L, error, argv[0]);
  }
  loop_hold(L, -1);
  return 1;
}

/* -- this process ----------------------------------------------------------------------------------------------- */

static int process_environment(lua_State *L) {
  lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
  return 1;
}

static int process_set_environment(lua_State *L) {
  const char *name = luaL_checkstring(L, 1), *value = luaL_optstring(L, 2, NULL);
  luaL_argcheck(L, *name && !strchr(name, '='), 1, "the name of a variable wanted");
  if (value ? setenv(name, value, 1) : unsetenv(name)) return luaL_error(L, "%s: %s", name, strerror(errno));
  return 0;
}

static int process_pid(lua_State *L) {
  lua_pushinteger(L, getpid());
  return 1;
}

static int process_hostname(lua_State *L) {
  char name[HOST_NAME_MAX + 1] = "";
  gethostname(name, sizeof name - 1);
  lua_pushstring(L, name);
  return 1;
}

int open_process(lua_State *L) {
  static const luaL_Reg methods[] = {{"cancel", child_cancel}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"environment", process_environment},
                                       {"set_environment", process_set_environment},
                                       {"pid", process_pid},
                                       {"hostname", process_hostname},
                                       {"start", process_start},
                                       {NULL, NULL}};
  loop_of(L);
  signal(SIGCHLD, SIG_DFL); /* a parent can leave it ignored, and nobody learns then how a child ended */
  host_new_class(L, CHILD, methods, child_cancel);
  luaL_newlib(L, functions);
  return 1;
}
