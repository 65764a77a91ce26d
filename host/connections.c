/* libcurl's multi interface on the event loop; see connections.h. */
#include "connections.h"
#include "lazy.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define MULTI_FUNCTIONS(X)                                                                                             \
  X(curl_multi_init)                                                                                                   \
  X(curl_multi_setopt)                                                                                                 \
  X(curl_multi_assign)                                                                                                 \
  X(curl_multi_add_handle)                                                                                             \
  X(curl_multi_remove_handle)                                                                                          \
  X(curl_multi_socket_action)                                                                                          \
  X(curl_multi_info_read)                                                                                              \
  X(curl_multi_cleanup)                                                                                                \
  X(curl_easy_init)                                                                                                    \
  X(curl_easy_reset)                                                                                                   \
  X(curl_easy_cleanup)                                                                                                 \
  X(curl_easy_setopt)                                                                                                  \
  X(curl_easy_getinfo)
LAZY_LIBRARY(curl, "libcurl.so.4", MULTI_FUNCTIONS)

/* So many transfers at a time stay well below the usual 1,024 descriptors and are plenty for AWS's rate limits. The
 * others wait here and not inside libcurl, whose own queue is searched from its beginning whenever a transfer ends. */
static const long MAX_RUNNING = 256;

/* Handles that are kept for the next transfers: each has kilobytes of memory of its own. */
enum { MAX_IDLE = 64 };

struct connections {
  struct loop *loop;
  connections_ended *ended;
  CURLM *multi;
  struct loop_timer timer; /* when libcurl wants to be called next */
  TAILQ_HEAD(job_queue, connections_job) waiting;
  long running;
  CURL *idle[MAX_IDLE];
  size_t idle_count;
};

/* A socket that libcurl asked to watch. */
struct socket {
  struct loop_watch watch; /* first: ready gets its address */
  struct connections *connections;
};

static void drop(struct connections *connections, struct connections_job *job) {
  if (job->state == JOB_WAITING) TAILQ_REMOVE(&connections->waiting, job, link);
  if (job->state == JOB_RUNNING) {
    curl.curl_multi_remove_handle(connections->multi, job->easy);
    connections->running--;
  }
  job->state = JOB_IDLE;
}

static void end(struct connections *connections, struct connections_job *job, CURLcode result) {
  drop(connections, job);
  connections->ended(job, result);
}

/* Lets run whose turn it is. */
static void admit(struct connections *connections) {
  struct connections_job *job;
  while (connections->running < MAX_RUNNING && (job = TAILQ_FIRST(&connections->waiting))) {
    TAILQ_REMOVE(&connections->waiting, job, link);
    job->state = JOB_RUNNING;
    connections->running++;
    if (curl.curl_multi_add_handle(connections->multi, job->easy)) end(connections, job, CURLE_OUT_OF_MEMORY);
  }
}

static void collect(struct connections *connections) {
  int left;
  CURLMsg *message;
  while ((message = curl.curl_multi_info_read(connections->multi, &left))) {
    struct connections_job *job;
    if (message->msg != CURLMSG_DONE) continue;
    curl.curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&job);
    end(connections, job, message->data.result);
  }
  admit(connections);
}

static void socket_ready(struct loop_watch *watch, uint32_t events) {
  struct connections *connections = ((struct socket *)watch)->connections; /* libcurl may have the socket freed */
  int action = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
  int running;
  curl.curl_multi_socket_action(connections->multi, watch->fd, action, &running);
  collect(connections);
}

static void expired(struct loop_timer *timer) {
  struct connections *connections = (struct connections *)((char *)timer - offsetof(struct connections, timer));
  int running;
  curl.curl_multi_socket_action(connections->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  collect(connections);
}

/* CURLMOPT_SOCKETFUNCTION */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *assigned) {
  struct connections *connections = user;
  struct socket *socket = assigned;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    if (socket) loop_unwatch(connections->loop, &socket->watch);
    free(socket);
    return 0;
  }
  if (!socket) {
    socket = malloc(sizeof *socket);
    if (!socket) return -1;
    *socket = (struct socket){.watch = {.fd = fd, .ready = socket_ready}, .connections = connections};
    curl.curl_multi_assign(connections->multi, fd, socket);
  }
  uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
  return loop_watch(connections->loop, &socket->watch, events) ? -1 : 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int on_timer(CURLM *multi, long milliseconds, void *user) {
  struct connections *connections = user;
  (void)multi;
  loop_timer_set(connections->loop, &connections->timer, milliseconds);
  return 0;
}

struct connections *connections_new(struct loop *loop, connections_ended *ended, const char **problem) {
  *problem = load_curl();
  if (*problem) return NULL;
  struct connections *connections = calloc(1, sizeof *connections);
  *problem = "no memory is left";
  if (!connections) return NULL;
  connections->loop = loop;
  connections->ended = ended;
  connections->timer.expired = expired;
  TAILQ_INIT(&connections->waiting);
  connections->multi = curl.curl_multi_init();
  if (!connections->multi) {
    connections_free(connections);
    return NULL;
  }
  curl.curl_multi_setopt(connections->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl.curl_multi_setopt(connections->multi, CURLMOPT_SOCKETDATA, connections);
  curl.curl_multi_setopt(connections->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl.curl_multi_setopt(connections->multi, CURLMOPT_TIMERDATA, connections);
  curl.curl_multi_setopt(connections->multi, CURLMOPT_MAXCONNECTS, MAX_RUNNING);
  return connections;
}

void connections_free(struct connections *connections) {
  if (!connections) return;
  while (connections->idle_count) curl.curl_easy_cleanup(connections->idle[--connections->idle_count]);
  if (connections->multi) curl.curl_multi_cleanup(connections->multi);
  loop_timer_set(connections->loop, &connections->timer, -1);
  free(connections);
}

bool connections_open(struct connections *connections, struct connections_job *job) {
  job->easy = connections->idle_count ? connections->idle[--connections->idle_count] : curl.curl_easy_init();
  return job->easy;
}

void connections_add(struct connections *connections, struct connections_job *job) {
  curl.curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
  job->state = JOB_WAITING;
  TAILQ_INSERT_TAIL(&connections->waiting, job, link);
  admit(connections);
}

void connections_close(struct connections *connections, struct connections_job *job) {
  if (!job->easy) return;
  drop(connections, job);
  if (connections->idle_count < MAX_IDLE) {
    curl.curl_easy_reset(job->easy);
    connections->idle[connections->idle_count++] = job->easy;
  } else {
    curl.curl_easy_cleanup(job->easy);
  }
  job->easy = NULL;
  admit(connections);
}
