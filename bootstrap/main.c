/* The program of the bootstrap image: what a new Lambda function runs until the pipeline brings the application. It
 * speaks Lambda's runtime interface (Lambda Developer Guide, "Using the Lambda runtime API") and answers for an HTTP
 * API: GET /health/ with {"status":"bootstrap"}, everything else with 503.
 *
 * Built statically by the Makefile, put into an image by lua/infra/oci.lua. */
#include "event.h"
#include "http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API "/2018-06-01/runtime/invocation/"

static const char healthy[] = "{\"statusCode\":200,\"headers\":{\"content-type\":\"application/json\","
                              "\"cache-control\":\"no-store\"},\"isBase64Encoded\":false,"
                              "\"body\":\"{\\\"status\\\":\\\"bootstrap\\\"}\"}";

static const char unavailable[] = "{\"statusCode\":503,\"headers\":{\"content-type\":\"application/json\","
                                  "\"cache-control\":\"no-store\",\"retry-after\":\"60\"},\"isBase64Encoded\":false,"
                                  "\"body\":\"{\\\"message\\\":\\\"the application is not deployed yet\\\"}\"}";

static int fail(const char *message) {
  fprintf(stderr, "bootstrap: %s\n", message);
  return EXIT_FAILURE;
}

/* "127.0.0.1:9001" as an address; -1 when it is none. */
static int parse_address(const char *text, struct sockaddr_in *address) {
  char host[64];
  const char *colon = text ? strrchr(text, ':') : NULL;
  if (!colon || (size_t)(colon - text) >= sizeof host) return -1;
  memcpy(host, text, (size_t)(colon - text));
  host[colon - text] = '\0';
  char *rest;
  long port = strtol(colon + 1, &rest, 10);
  if (*rest || rest == colon + 1 || port <= 0 || port > 65535) return -1;
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  const char *number = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
  return inet_pton(AF_INET, number, &address->sin_addr) == 1 ? 0 : -1;
}

/* Answers one invocation. Returns -1 when the runtime interface does not work: then Lambda starts the program anew. */
static int serve(const struct sockaddr_in *server, struct answer *answer) {
  char id[128], path[256];
  if (http_exchange(server, "GET", API "next", NULL, answer) != 0 || answer->status != 200) return -1;
  if (http_header(answer, "Lambda-Runtime-Aws-Request-Id", id, sizeof id) != 0) return -1;
  const char *response = event_is_get(answer->body, answer->body_length, "/health/") ? healthy : unavailable;
  snprintf(path, sizeof path, API "%s/response", id);
  /* A refusal (the invocation has timed out, say) is the caller's affair; the next one may go well. */
  return http_exchange(server, "POST", path, response, answer);
}

int main(void) {
  struct sockaddr_in server;
  struct answer answer = {0};
  if (parse_address(getenv("AWS_LAMBDA_RUNTIME_API"), &server) != 0)
    return fail("AWS_LAMBDA_RUNTIME_API is not HOST:PORT; Lambda sets it");
  while (serve(&server, &answer) == 0) {
  }
  free(answer.data);
  return fail("the runtime interface does not answer");
}
