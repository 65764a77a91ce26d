/* A minimal HTTP client; see http.h. */
#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 16 << 10, MAX_ANSWER = 64 << 20, MAX_HEAD = 1 << 10 };

static int send_all(int fd, const char *data, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return -1;
    data += sent;
    length -= (size_t)sent;
  }
  return 0;
}

/* Appends what has come. Returns the number of bytes, 0 at the end of the connection, -1 when it failed. */
static ssize_t receive(int fd, struct answer *answer) {
  if (answer->length == answer->capacity) {
    size_t capacity = answer->capacity ? answer->capacity * 2 : FIRST_CAPACITY;
    char *data = capacity <= MAX_ANSWER ? realloc(answer->data, capacity) : NULL;
    if (!data) return -1;
    answer->data = data;
    answer->capacity = capacity;
  }
  ssize_t got;
  do got = recv(fd, answer->data + answer->length, answer->capacity - answer->length, 0);
  while (got < 0 && errno == EINTR);
  if (got > 0) answer->length += (size_t)got;
  return got;
}

int http_header(const struct answer *answer, const char *name, char *value, size_t size) {
  size_t name_length = strlen(name);
  const char *line = answer->data, *end = answer->data + answer->head_length;
  while (line < end) {
    const char *next = memchr(line, '\n', (size_t)(end - line));
    next = next ? next + 1 : end;
    if ((size_t)(next - line) > name_length && line[name_length] == ':' && strncasecmp(line, name, name_length) == 0) {
      const char *first = line + name_length + 1, *last = next;
      while (first < last && (*first == ' ' || *first == '\t')) first++;
      while (last > first && strchr(" \t\r\n", last[-1])) last--;
      size_t length = (size_t)(last - first);
      if (length >= size) return -1;
      memcpy(value, first, length);
      value[length] = '\0';
      return 0;
    }
    line = next;
  }
  return -1;
}

/* A number of `base` that ends before one of `ends`; -1 when it is none. */
static long long number(const char *text, const char *limit, int base, const char *ends) {
  char digits[20];
  size_t length = 0;
  while (text + length < limit && length < sizeof digits - 1 && !strchr(ends, text[length])) length++;
  if (length == 0 || length == sizeof digits - 1) return -1;
  memcpy(digits, text, length);
  digits[length] = '\0';
  char *rest;
  long long value = strtoll(digits, &rest, base);
  return *rest == '\0' && value >= 0 ? value : -1;
}

/* What is known of an answer that may still be on its way. */
enum progress { MALFORMED = -1, UNFINISHED, COMPLETE };

/* Goes through the chunks of a chunked body. When all are there, and only then, moves them together. */
static enum progress join_chunks(struct answer *answer) {
  for (int move = 0; move < 2; move++) {
    char *chunk = answer->data + answer->head_length, *to = chunk, *end = answer->data + answer->length;
    for (;;) {
      char *line_end = memmem(chunk, (size_t)(end - chunk), "\r\n", 2);
      if (!line_end) return UNFINISHED;
      long long size = number(chunk, line_end + 1, 16, "\r; ");
      if (size < 0 || size > MAX_ANSWER) return MALFORMED;
      chunk = line_end + 2;
      if (size == 0) break;
      if (end - chunk < size + 2) return UNFINISHED;
      if (memcmp(chunk + size, "\r\n", 2) != 0) return MALFORMED;
      if (move) memmove(to, chunk, (size_t)size);
      to += size;
      chunk += size + 2;
    }
    answer->body_length = (size_t)(to - (answer->data + answer->head_length));
  }
  return COMPLETE;
}

static enum progress inspect(struct answer *answer, int ended) {
  char value[32];
  char *blank = memmem(answer->data, answer->length, "\r\n\r\n", 4);
  if (!blank) return ended ? MALFORMED : UNFINISHED;
  answer->head_length = (size_t)(blank + 4 - answer->data);
  if (answer->head_length < sizeof "HTTP/1.1 200" || memcmp(answer->data, "HTTP/1.", 7) != 0) return MALFORMED;
  answer->status = (int)number(answer->data + 9, answer->data + 13, 10, " \r");
  answer->body = answer->data + answer->head_length;
  answer->body_length = answer->length - answer->head_length;
  if (http_header(answer, "Transfer-Encoding", value, sizeof value) == 0)
    return strcasecmp(value, "chunked") == 0 ? join_chunks(answer) : MALFORMED;
  if (http_header(answer, "Content-Length", value, sizeof value) != 0) return ended ? COMPLETE : UNFINISHED;
  long long wanted = number(value, value + strlen(value) + 1, 10, "");
  if (wanted < 0) return MALFORMED;
  if (answer->body_length < (size_t)wanted) return UNFINISHED;
  answer->body_length = (size_t)wanted;
  return COMPLETE;
}

static int exchange(int fd, const struct sockaddr_in *server, const char *head, const char *body,
                    struct answer *answer) {
  if (connect(fd, (const struct sockaddr *)server, sizeof *server) != 0) return -1;
  if (send_all(fd, head, strlen(head)) != 0 || (body && send_all(fd, body, strlen(body)) != 0)) return -1;
  answer->length = 0;
  for (;;) {
    ssize_t got = receive(fd, answer);
    if (got < 0) return -1;
    enum progress progress = inspect(answer, got == 0);
    if (progress != UNFINISHED) return progress == COMPLETE && answer->status > 0 ? 0 : -1;
    if (got == 0) return -1;
  }
}

int http_exchange(const struct sockaddr_in *server, const char *method, const char *path, const char *body,
                  struct answer *answer) {
  char head[MAX_HEAD];
  int length = snprintf(head, sizeof head,
                        "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                        method, path, body ? strlen(body) : 0);
  if (length < 0 || (size_t)length >= sizeof head) return -1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int result = exchange(fd, server, head, body, answer);
  close(fd);
  return result;
}
