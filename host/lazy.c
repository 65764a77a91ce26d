/* Loads a library when it is first used; see lazy.h. */
#include "lazy.h"

#include <dlfcn.h>
#include <string.h>

/* Slots are copied into as bytes: the caller declares them with their real types. */
static void *get_slot(const void *slots, size_t i) {
  void *function;
  memcpy(&function, (const char *)slots + i * sizeof function, sizeof function);
  return function;
}

static void set_slot(void *slots, size_t i, void *function) {
  memcpy((char *)slots + i * sizeof function, &function, sizeof function);
}

const char *lazy_load(const char *soname, const char *const names[], void *slots) {
  size_t count = 0;
  while (names[count]) count++;
  if (get_slot(slots, count - 1)) return NULL;
  void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  /* The last slot is filled last, and tells that all are. */
  for (size_t i = 0; i < count; i++) {
    void *function = dlsym(library, names[i]);
    if (!function) return dlerror();
    set_slot(slots, i, function);
  }
  return NULL;
}
