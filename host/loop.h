/* The event loop, as the other primitives see it: http.c, server.c and process.c register file descriptors here and
 * post what completes. Lua sees loop.wait(), which returns completions as a batch.
 *
 * Two rules. `ready` callbacks run while the loop waits and never touch Lua; a result becomes a Lua table only in an
 * event's `push`, which the loop calls from loop.wait, outside of any foreign library. And the memory of a watch or of
 * a posted event belongs to its owner, who unwatches or withdraws it before freeing it.
 *
 * Everything else that the loop waits for is a file descriptor: a child's end is a pidfd.
 *
 * Opening the loop ignores SIGPIPE for the whole process. Ignored signals are inherited by exec: whoever starts a
 * program resets SIGPIPE to its default there. */
#ifndef INFRA_LOOP_H
#define INFRA_LOOP_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct loop;

/* The loop of this Lua state, created at the first call. It outlives every userdata that is created after that call,
 * so a primitive calls this from its open function. */
struct loop *loop_of(lua_State *L);

/* A watched file descriptor, usually a member of the owner's struct. Set fd and ready, then call loop_watch. `ready`
 * may watch, unwatch, post and withdraw anything, and must stand being called once more than there was reason for. */
struct loop_watch {
  int fd;
  void (*ready)(struct loop_watch *watch, uint32_t events);
  bool active; /* set by the loop: start with false */
};

/* Starts watching for `events` (EPOLLIN, EPOLLOUT; level-triggered), or changes for what. Returns 0 or an errno. */
int loop_watch(struct loop *loop, struct loop_watch *watch, uint32_t events);
/* Stops; does nothing when it is not watched. Call it before closing the descriptor. */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* A moment in time, usually a member of the owner's struct. Set expired, which is called once for each loop_timer_set.
 * libcurl sets its timer several times in every request: that may cost no system call. */
struct loop_timer {
  void (*expired)(struct loop_timer *timer);
  bool set;  /* by the loop: start with false */
  double at; /* monotonic seconds */
  TAILQ_ENTRY(loop_timer) link;
};

/* From now on; replaces what was set before. -1: never, as which its owner leaves it before freeing it. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, long milliseconds);

/* A completion, usually a member of the owner's struct. `push` pushes one table, the event that loop.wait returns; it
 * is called once for each post, after the event left the queue, so it may free the event or post it again. */
struct loop_event {
  void (*push)(lua_State *L, struct loop_event *event);
  bool queued; /* set by the loop: start with false */
  TAILQ_ENTRY(loop_event) link;
};

/* Queues a completion (does nothing when it is queued already); the current or the next loop.wait returns it. */
void loop_post(struct loop *loop, struct loop_event *event);
/* Takes it back; does nothing when it is not queued. */
void loop_withdraw(struct loop *loop, struct loop_event *event);

/* Keeps the userdata at `index` from being collected while something is under way for it. loop_push_held pushes it
 * given its address (lua_touserdata), or nil when it is not held. */
void loop_hold(lua_State *L, int index);
void loop_push_held(lua_State *L, const void *userdata);
void loop_release(lua_State *L, const void *userdata);

#endif
