/* Requests per second of libcurl alone, to compare infra's client with (requests.lua): the same POST again and again
 * over connections that are kept, a fixed number of them under way, nothing signed, answers thrown away.
 *
 *   libcurl URL BODY COUNT IN_FLIGHT [HEADER ...]      prints the seconds that it took */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WAIT_MS = 1000 };

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static size_t discard(char *data, size_t size, size_t count, void *context) {
  (void)data, (void)context;
  return size * count;
}

static CURL *new_request(const char *url, const char *body, struct curl_slist *headers) {
  CURL *easy = curl_easy_init();
  if (!easy) abort();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  return easy;
}

/* Takes what has ended and starts it again while requests are left. Returns how many ended well, or -1. */
static long turn_over(CURLM *multi, long *left) {
  long done = 0;
  int queued;
  for (CURLMsg *message; (message = curl_multi_info_read(multi, &queued));) {
    CURL *easy = message->easy_handle;
    if (message->data.result != CURLE_OK) return -1;
    done++;
    curl_multi_remove_handle(multi, easy);
    if ((*left)-- > 0)
      curl_multi_add_handle(multi, easy);
    else
      curl_easy_cleanup(easy);
  }
  return done;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  long count = atol(argv[3]), in_flight = atol(argv[4]), left = count - in_flight;
  struct curl_slist *headers = NULL;
  for (int i = 5; i < argc; i++) headers = curl_slist_append(headers, argv[i]);
  CURLM *multi = curl_multi_init();
  if (!multi) return 1;
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, in_flight);
  for (long i = 0; i < in_flight; i++) curl_multi_add_handle(multi, new_request(argv[1], argv[2], headers));
  double started = now();
  for (long done = 0; done < count;) {
    int running;
    curl_multi_perform(multi, &running);
    long ended = turn_over(multi, &left);
    if (ended < 0) return 1;
    done += ended;
    if (ended == 0) curl_multi_poll(multi, NULL, 0, WAIT_MS, NULL);
  }
  printf("%.6f\n", now() - started);
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  return 0;
}
