/* One HTTP request and its response; see transfer.h. */
#include "transfer.h"
#include "lazy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EASY_FUNCTIONS(X)                                                                                              \
  X(curl_easy_setopt)                                                                                                  \
  X(curl_easy_getinfo)                                                                                                 \
  X(curl_easy_nextheader)                                                                                              \
  X(curl_easy_strerror)
LAZY_LIBRARY(curl, "libcurl.so.4", EASY_FUNCTIONS)

enum { MAX_HEADERS = 256 * 1024 };

/* -- called by libcurl while it runs; a callback that fails takes no bytes -------------------------------------- */

static size_t refuse(struct transfer *transfer, const char *error, const char *reason) {
  transfer->error = error;
  transfer->reason = reason;
  return 0;
}

static size_t refuse_errno(struct transfer *transfer, const char *path) {
  const char *name = strerrorname_np(errno), *problem = strerror(errno);
  free(transfer->file_reason);
  if (asprintf(&transfer->file_reason, "%s: %s", path, problem) < 0) transfer->file_reason = NULL;
  return refuse(transfer, name ? name : "EIO", transfer->file_reason ? transfer->file_reason : problem);
}

/* CURLOPT_PREREQFUNCTION: before the request is sent, and before it would be sent again because a kept connection
 * closed without an answer. The server may have acted on the first one, so repeating it is the caller's decision. */
static int on_send(void *user, char *remote, char *local, int remote_port, int local_port) {
  struct transfer *transfer = user;
  (void)remote, (void)local, (void)remote_port, (void)local_port;
  if (transfer->times_sent++ == 0) return CURL_PREREQFUNC_OK;
  refuse(transfer, "ConnectionError", "the server closed the connection without an answer");
  return CURL_PREREQFUNC_ABORT;
}

/* Called with one line at a time, the empty one and trailers too. */
static size_t on_header(char *data, size_t one, size_t size, void *user) {
  struct transfer *transfer = user;
  (void)one;
  transfer->header_bytes += size;
  if (size > 5 && memcmp(data, "HTTP/", 5) == 0) transfer->head_ended = false;
  if (*data == '\r' || *data == '\n') transfer->head_ended = true;
  if (transfer->header_bytes <= MAX_HEADERS) return size;
  return refuse(transfer, "HeadersTooLarge", "the response's headers are longer than 256 KiB");
}

/* CURLOPT_READFUNCTION */
static size_t on_read(char *data, size_t one, size_t room, void *user) {
  struct transfer *transfer = user;
  (void)one;
  if (transfer->source_left < (curl_off_t)room) room = (size_t)transfer->source_left;
  if (room == 0) return 0;
  ssize_t count = TEMP_FAILURE_RETRY(pread(transfer->source, data, room, transfer->source_at));
  if (count < 0) refuse_errno(transfer, "the file that is sent");
  if (count == 0) refuse(transfer, "FileChanged", "the file became shorter while it was sent");
  if (count <= 0) return CURL_READFUNC_ABORT;
  transfer->source_at += count;
  transfer->source_left -= count;
  return (size_t)count;
}

/* What is not a file yet is written under another name, so that nobody takes a part for the whole; what is there and
 * cannot be replaced (a pipe, /dev/null) is written to as it is. */
static int open_file(struct transfer *transfer) {
  struct stat info;
  if (stat(transfer->path, &info) == 0 && !S_ISREG(info.st_mode)) return open(transfer->path, O_WRONLY | O_CLOEXEC);
  char *name;
  if (asprintf(&name, "%s.XXXXXX", transfer->path) < 0) return -1;
  int file = mkostemp(name, O_CLOEXEC), error = errno;
  if (file < 0)
    free(name);
  else
    transfer->temporary = name;
  errno = error;
  return file;
}

/* Also with size 0: the file exists after every success. */
static size_t write_file(struct transfer *transfer, const char *data, size_t size) {
  if (transfer->file < 0) transfer->file = open_file(transfer);
  if (transfer->file < 0) return refuse_errno(transfer, transfer->path);
  for (size_t done = 0; done < size;) {
    ssize_t written = TEMP_FAILURE_RETRY(write(transfer->file, data + done, size - done));
    if (written < 0) return refuse_errno(transfer, transfer->path);
    done += (size_t)written;
  }
  return size;
}

static void finish_file(struct transfer *transfer) {
  write_file(transfer, "", 0);
  if (transfer->error) return;
  int failed = close(transfer->file);
  transfer->file = -1;
  if (failed || (transfer->temporary && rename(transfer->temporary, transfer->path))) {
    refuse_errno(transfer, transfer->path);
    return;
  }
  free(transfer->temporary);
  transfer->temporary = NULL;
}

static size_t keep(struct transfer *transfer, const char *data, size_t size) {
  if (size > transfer->max_body - transfer->body.size)
    return refuse(transfer, "BodyTooLarge", "the response's body is longer than max_body");
  if (buffer_append(&transfer->body, data, size)) return size;
  return refuse(transfer, "BodyTooLarge", strerror(ENOMEM));
}

static bool goes_to_file(struct transfer *transfer) {
  curl.curl_easy_getinfo(transfer->job.easy, CURLINFO_RESPONSE_CODE, &transfer->status);
  return transfer->path && transfer->status / 100 == 2;
}

static size_t on_body(char *data, size_t one, size_t size, void *user) {
  struct transfer *transfer = user;
  (void)one;
  return goes_to_file(transfer) ? write_file(transfer, data, size) : keep(transfer, data, size);
}

/* -- the end ------------------------------------------------------------------------------------------------------ */

static const char *error_of(CURLcode result) {
  switch (result) {
  case CURLE_OPERATION_TIMEDOUT:
    return "Timeout";
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    return "ResolveError";
  case CURLE_URL_MALFORMAT:
    return "BadUrl";
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_INVALIDCERTSTATUS:
    return "TlsError";
  default:
    return "ConnectionError";
  }
}

static void set_error(struct transfer *transfer, CURLcode result) {
  if (transfer->error) return; /* ours says more */
  transfer->error = error_of(result);
  transfer->reason = *transfer->curl_reason ? transfer->curl_reason : curl.curl_easy_strerror(result);
}

void transfer_ended(struct connections_job *job, CURLcode result) {
  struct transfer *transfer = (struct transfer *)job;
  bool to_file = goes_to_file(transfer);
  if (result)
    set_error(transfer, result);
  else if (!transfer->head_ended || transfer->status < 200) /* libcurl takes what came for the whole */
    refuse(transfer, "ConnectionError", "the response ended before its headers did");
  else if (to_file)
    finish_file(transfer);
  transfer->ended(transfer);
}

struct curl_header *transfer_next_header(struct transfer *transfer, struct curl_header *previous) {
  return curl.curl_easy_nextheader(transfer->job.easy, CURLH_HEADER | CURLH_TRAILER, -1, previous);
}

void transfer_close(struct transfer *transfer) {
  if (!transfer->job.easy) return;
  connections_close(transfer->connections, &transfer->job);
  if (transfer->source >= 0) close(transfer->source);
  if (transfer->file >= 0) close(transfer->file);
  if (transfer->temporary) unlink(transfer->temporary);
  free(transfer->temporary);
  free(transfer->path);
  free(transfer->file_reason);
  buffer_free(&transfer->body);
  *transfer = (struct transfer){.file = -1, .source = -1};
}

/* -- the start ---------------------------------------------------------------------------------------------------- */

const char *transfer_open(struct transfer *transfer, struct connections *connections) {
  const char *problem = load_curl();
  if (problem) return problem;
  transfer->file = transfer->source = -1;
  transfer->connections = connections;
  return connections_open(connections, &transfer->job) ? NULL : strerror(ENOMEM);
}

/* Returns 0, or what is wrong with an option. */
static CURLcode configure(struct transfer *transfer, const struct transfer_options *options) {
  CURL *easy = transfer->job.easy;
  CURLcode problem = CURLE_OK;
#define SET(option, value) problem = problem ? problem : curl.curl_easy_setopt(easy, CURLOPT_##option, value)
  SET(URL, options->url);
  SET(PATH_AS_IS, 1L); /* "." and ".." are ordinary parts of an S3 key */
  SET(PROTOCOLS_STR, "http,https");
  /* Without several transfers in one connection, a broken connection says something about one transfer only. */
  SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(HTTPHEADER, options->headers);
  SET(CUSTOMREQUEST, options->method);
  if (strcmp(options->method, "HEAD") == 0) SET(NOBODY, 1L);
  if (options->body_from) {
    SET(UPLOAD, 1L);
    SET(CUSTOMREQUEST, options->method); /* UPLOAD means PUT */
    SET(INFILESIZE_LARGE, transfer->source_left);
    SET(READFUNCTION, on_read);
    SET(READDATA, transfer);
  } else if (options->body || strcmp(options->method, "POST") == 0 || strcmp(options->method, "PUT") == 0) {
    SET(POSTFIELDSIZE_LARGE, (curl_off_t)options->body_size);
    SET(POSTFIELDS, options->body ? options->body : ""); /* not copied */
  }
  SET(TIMEOUT_MS, options->timeout);
  SET(CONNECTTIMEOUT_MS, options->connect_timeout);
  SET(LOW_SPEED_LIMIT, 1L); /* bytes a second */
  SET(LOW_SPEED_TIME, options->stall_timeout);
  SET(SSL_VERIFYPEER, 1L);
  SET(SSL_VERIFYHOST, 2L);
  SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (options->ca_file) SET(CAINFO, options->ca_file);
  if (options->no_proxy) SET(NOPROXY, "*");
  SET(SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's are not the response's */
  SET(NOSIGNAL, 1L);
  SET(QUICK_EXIT, 1L); /* giving up does not wait for a name server that never answers */
  SET(ERRORBUFFER, transfer->curl_reason);
  SET(PREREQFUNCTION, on_send);
  SET(PREREQDATA, transfer);
  SET(HEADERFUNCTION, on_header);
  SET(HEADERDATA, transfer);
  SET(WRITEFUNCTION, on_body);
  SET(WRITEDATA, transfer);
#undef SET
  return problem;
}

static bool open_source(struct transfer *transfer, const struct transfer_options *options) {
  struct stat info;
  transfer->source = open(options->body_from, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe would wait */
  if (transfer->source < 0 || fstat(transfer->source, &info)) return refuse_errno(transfer, options->body_from);
  if (!S_ISREG(info.st_mode)) return refuse(transfer, "BadFile", "only the bytes of a file can be sent, not of a pipe");
  curl_off_t rest = info.st_size > options->from_offset ? info.st_size - options->from_offset : 0;
  transfer->source_at = options->from_offset;
  transfer->source_left = options->from_size < 0 ? rest : options->from_size;
  return true;
}

/* Where a file is to be put: a link would be replaced itself, and what is not there yet has no real path. */
static char *without_links(const char *path) {
  char *resolved = realpath(path, NULL);
  return resolved ? resolved : strdup(path);
}

bool transfer_start(struct transfer *transfer, const struct transfer_options *options) {
  transfer->max_body = options->max_body;
  if (options->body_to && !(transfer->path = without_links(options->body_to)))
    return refuse_errno(transfer, options->body_to);
  if (options->body_from && !open_source(transfer, options)) return false;
  CURLcode wrong = configure(transfer, options);
  if (wrong) {
    set_error(transfer, wrong);
    return false;
  }
  connections_add(transfer->connections, &transfer->job);
  return true;
}
