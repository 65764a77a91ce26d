/* Libraries that are loaded when first used. libcurl, libmicrohttpd and libedit bring some forty more libraries with
 * them; linked in the ordinary way, these would cost every `infra version` more than all its own work.
 *
 * A primitive lists the functions that it calls, and gets a table of them and a loader:
 *
 *   #define EDIT_FUNCTIONS(X) X(readline) X(add_history)
 *   LAZY_LIBRARY(edit, "libedit.so.2", EDIT_FUNCTIONS)
 *
 *   const char *problem = load_edit();                    NULL once everything is there; cheap to call again
 *   if (problem) return host_fail(L, "NoLibrary", "%s", problem);
 *   char *line = edit.readline("infra> ");
 *
 * The types come from the library's own header, so a call through the table is checked like a direct one. A library is
 * never unloaded. */
#ifndef INFRA_LAZY_H
#define INFRA_LAZY_H

#include <stddef.h>

/* Loads `soname` and fills `slots`, one function pointer for each of `names` (which NULL ends). Returns NULL, or
 * dlerror's text, which is valid until the next call; then no slot is to be used. */
const char *lazy_load(const char *soname, const char *const names[], void *slots);

#define LAZY_SLOT(function) __typeof__(function) *(function);
#define LAZY_NAME(function) #function,
#define LAZY_LIBRARY(table, soname, FUNCTIONS)                                                                         \
  static struct { FUNCTIONS(LAZY_SLOT) } table;                                                                        \
  static const char *load_##table(void) {                                                                              \
    static const char *const names[] = {FUNCTIONS(LAZY_NAME) NULL};                                                    \
    return lazy_load(soname, names, &(table));                                                                         \
  }

#endif
