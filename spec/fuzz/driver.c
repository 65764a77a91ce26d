/* libFuzzer's driver for the targets of targets.lua: `make fuzz`. FUZZ_TARGET names the target. The host's C is
 * instrumented by the compiler; a line hook tells libFuzzer which Lua lines a text reaches, so that it learns its way
 * into the decoders that are Lua. */
#include "../../host/host.h"

#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { COUNTERS = 1 << 15 };

/* libFuzzer takes everything in this section for counters of coverage, and clears it before each text. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static lua_State *state;

/* An edge from line to line; a source is known by the address of its name. */
static void count_line(lua_State *L, lua_Debug *at) {
  static uintptr_t previous;
  lua_getinfo(L, "S", at);
  uintptr_t line = ((uintptr_t)at->source >> 4) * 31 + (uintptr_t)at->currentline;
  counters[(line ^ previous) % COUNTERS]++;
  previous = line * 7;
}

static int with_traceback(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

/* Protected: leaves the target's decode function. */
static int load_target(lua_State *L) {
  const char *name = getenv("FUZZ_TARGET");
  luaL_openlibs(L);
  luaL_newmetatable(L, INFRA_ERROR);
  modules_install(L);
  luaL_dostring(L, "require 'infra.errors'; package.path = './?.lua'; return (require 'spec.fuzz.targets')");
  if (!lua_istable(L, -1)) return lua_error(L);
  if (lua_getfield(L, -1, name ? name : "") != LUA_TTABLE) return luaL_error(L, "FUZZ_TARGET names no target");
  lua_getfield(L, -1, "decode");
  return 1;
}

/* libFuzzer calls this before anything else. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  state = luaL_newstate();
  if (!state) abort();
  lua_pushcfunction(state, with_traceback);
  lua_pushcfunction(state, load_target);
  if (lua_pcall(state, 0, 1, 1) != LUA_OK) {
    fprintf(stderr, "fuzz: %s\n", luaL_tolstring(state, -1, NULL));
    exit(1);
  }
  lua_sethook(state, count_line, LUA_MASKLINE, 0);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int top = lua_gettop(state); /* with_traceback, decode */
  lua_pushvalue(state, top);
  lua_pushlstring(state, (const char *)data, size);
  if (lua_pcall(state, 1, 0, top - 1) != LUA_OK) {
    luaL_getmetatable(state, INFRA_ERROR);
    if (!lua_getmetatable(state, -2) || !lua_rawequal(state, -1, -2)) {
      lua_settop(state, top + 1);
      fprintf(stderr, "fuzz: an error that is not typed: %s\n", luaL_tolstring(state, -1, NULL));
      abort();
    }
  }
  lua_settop(state, top);
  return 0;
}
