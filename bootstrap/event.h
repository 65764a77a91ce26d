/* What an invocation asks for: the event that an HTTP API sends, payload format 2.0, as JSON. Used by main.c. */
#ifndef BOOTSTRAP_EVENT_H
#define BOOTSTRAP_EVENT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the event is a GET of `path`, with or without the API's stage before it. False for everything else, also for
 * what is no such event, or no JSON at all. `path` starts with a slash. */
bool event_is_get(const char *json, size_t length, const char *path);

#endif
