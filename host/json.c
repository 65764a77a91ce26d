/* JSON for everything that reads or writes it: AWS's JSON protocols, policy documents, the state, reports.
 *
 *   json.decode(text) -> value | nil, err{ code = "BadJson", message, offset }
 *                          offset is where it went wrong, in bytes from 1; absent for numbers out of range, depth, and
 *                          texts above 64 MiB (a tree takes some forty times the room of its text)
 *   json.encode(value [, { indent = true }]) -> text
 *   json.null              what a JSON null is in Lua: a light userdata, NULL to C
 *   json.array([t]) -> t   encodes as [...] even when empty; decoded arrays are marked so
 *   json.object([t]) -> t  encodes as {...} whatever its keys look like
 *   json.is_array(t)       whether t carries the array mark
 *
 * Parsing and printing are cJSON's. Around it stands what cJSON gets wrong: it cuts strings at \u0000 (refused here,
 * both ways), rounds numbers when it prints them (formatted here), and keeps keys in the order of insertion (sorted
 * here, so that equal values always have equal texts, fit for digests). Whole numbers below 2^53 decode to Lua
 * integers, all others to the nearest float; every Lua number encodes exactly. Bytes that are not UTF-8 pass unchanged
 * in both directions. */
#include "host.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TEMPORARY "infra.json.temporary"
#define ARRAY "infra.json.array"
#define OBJECT "infra.json.object"
#define DEPTH_LIMIT 512
#define LONGEST (64 << 20)
#define EXACT_LIMIT 9007199254740992.0 /* 2^53: from there on a double can be a neighbouring integer rounded */

/* What cJSON allocated, in a userdata, so that a Lua error on the way leaves it to the collector. */
struct temporary {
  cJSON *tree;
  char *text;
};

static int temporary_free(lua_State *L) {
  struct temporary *t = luaL_checkudata(L, 1, TEMPORARY);
  cJSON_Delete(t->tree);
  cJSON_free(t->text);
  *t = (struct temporary){0};
  return 0;
}

static struct temporary *temporary_new(lua_State *L) {
  struct temporary *t = lua_newuserdatauv(L, sizeof *t, 0);
  *t = (struct temporary){0};
  luaL_setmetatable(L, TEMPORARY);
  lua_toclose(L, -1);
  return t;
}

/* -- decoding ------------------------------------------------------------------------------------------------------ */

/* Finds what cJSON would turn into the end of a string: a NUL byte or an escape for one. NULL when there is none. */
static const char *find_nul(const char *text, size_t length) {
  const char *found = memchr(text, 0, length), *from = text;
  while (!found && (from = memmem(from, (size_t)(text + length - from), "\\u0000", 6))) {
    const char *run = from; /* an odd run of backslashes ends in one that escapes, an even one does not */
    while (run > text && run[-1] == '\\') run--;
    if ((from - run) % 2 == 0) found = from;
    from += 6;
  }
  return found;
}

/* Pushes the Lua value of `item` and returns NULL, or returns what is wrong with it, the stack then being anyhow. */
static const char *push_value(lua_State *L, const cJSON *item, int depth) {
  const char *problem = NULL;
  const cJSON *child;
  lua_Integer i = 0;
  int size = cJSON_GetArraySize(item);
  luaL_checkstack(L, 4, "JSON");
  switch (item->type & 0xFF) {
  case cJSON_NULL:
    lua_pushlightuserdata(L, NULL);
    break;
  case cJSON_False:
  case cJSON_True:
    lua_pushboolean(L, cJSON_IsTrue(item));
    break;
  case cJSON_String:
    lua_pushstring(L, item->valuestring);
    break;
  case cJSON_Number:
    if (!isfinite(item->valuedouble)) return "a number is out of range";
    if (fabs(item->valuedouble) < EXACT_LIMIT && floor(item->valuedouble) == item->valuedouble)
      lua_pushinteger(L, (lua_Integer)item->valuedouble);
    else
      lua_pushnumber(L, item->valuedouble);
    break;
  case cJSON_Array:
    if (depth >= DEPTH_LIMIT) return "nested too deeply";
    lua_createtable(L, size, 0);
    luaL_setmetatable(L, ARRAY);
    cJSON_ArrayForEach(child, item) {
      if ((problem = push_value(L, child, depth + 1))) return problem;
      lua_rawseti(L, -2, ++i);
    }
    break;
  default:
    if (depth >= DEPTH_LIMIT) return "nested too deeply";
    lua_createtable(L, 0, size);
    cJSON_ArrayForEach(child, item) {
      lua_pushstring(L, child->string);
      if ((problem = push_value(L, child, depth + 1))) return problem;
      lua_rawset(L, -3);
    }
  }
  return NULL;
}

static int bad_json(lua_State *L, size_t offset, const char *problem) {
  int results = offset ? host_fail(L, "BadJson", "not JSON: %s near byte %I", problem, (lua_Integer)offset)
                       : host_fail(L, "BadJson", "not JSON: %s", problem);
  if (offset) {
    lua_pushinteger(L, (lua_Integer)offset);
    lua_setfield(L, -2, "offset");
  }
  return results;
}

static int decode(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length), *end = text;
  lua_settop(L, 1);
  if (length > LONGEST) return bad_json(L, 0, "larger than the limit");
  const char *nul = find_nul(text, length);
  if (nul) return bad_json(L, (size_t)(nul - text) + 1, "a NUL character");
  struct temporary *t = temporary_new(L);
  /* The terminating NUL is given too: that is how cJSON tells that nothing follows the value. */
  t->tree = cJSON_ParseWithLengthOpts(text, length + 1, &end, true);
  if (!t->tree) return bad_json(L, (size_t)(end - text) + 1, "syntax error");
  const char *problem = push_value(L, t->tree, 0);
  return problem ? bad_json(L, 0, problem) : 1;
}

/* -- encoding ------------------------------------------------------------------------------------------------------ */

/* Hands `item` over to `parent` at once, so that it is never without an owner. `key` is NULL in an array. */
static cJSON *attach(lua_State *L, cJSON *parent, const char *key, cJSON *item) {
  if (!item || !(key ? cJSON_AddItemToObjectCS(parent, key, item) : cJSON_AddItemToArray(parent, item))) {
    cJSON_Delete(item);
    luaL_error(L, "not enough memory");
  }
  return item;
}

static int by_key(const void *a, const void *b) {
  return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

static void sort_members(lua_State *L, cJSON *object) {
  size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
  if (count < 2) return;
  cJSON *child, **members = malloc(count * sizeof *members);
  if (!members) luaL_error(L, "not enough memory");
  cJSON_ArrayForEach(child, object) members[i++] = child;
  qsort(members, count, sizeof *members, by_key);
  for (i = 0; i < count; i++) { /* cJSON's lists: the first's prev is the last, the last's next is NULL */
    members[i]->prev = members[i ? i - 1 : count - 1];
    members[i]->next = i + 1 < count ? members[i + 1] : NULL;
  }
  object->child = members[0];
  free(members);
}

static bool has_mark(lua_State *L, int index, const char *mark) {
  if (!lua_getmetatable(L, index)) return false;
  luaL_getmetatable(L, mark);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

/* Whether the table on top is a list. Throws when it is neither a list nor an object; `where` is for that message. */
static bool is_list(lua_State *L, const char *where) {
  int table = lua_gettop(L);
  lua_Integer total = 0, strings = 0, highest = 0;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1), total++) {
    if (lua_type(L, -2) == LUA_TSTRING)
      strings++;
    else if (lua_isinteger(L, -2) && lua_tointeger(L, -2) > highest)
      highest = lua_tointeger(L, -2);
  }
  /* total distinct positive integers of which total is the highest: 1..total */
  bool sequence = strings == 0 && highest == total;
  bool list = has_mark(L, table, ARRAY) || (sequence && total > 0 && !has_mark(L, table, OBJECT));
  if (list ? !sequence : strings != total)
    luaL_error(L, "JSON cannot carry a table that is neither a list 1..n nor keyed by strings (%s)", where);
  return list;
}

static const char *checked_string(lua_State *L, int index, const char *where) {
  size_t length;
  const char *string = lua_tolstring(L, index, &length);
  if (memchr(string, 0, length)) luaL_error(L, "JSON cannot carry a string with NUL bytes (%s)", where);
  return string;
}

static cJSON *create_number(lua_State *L, const char *where) {
  char text[32];
  int is_integer;
  lua_Integer integer = lua_tointegerx(L, -1, &is_integer); /* floats without a fraction too: 1.0 == 1, so "1" */
  double number = lua_tonumber(L, -1);
  if (!isfinite(number)) luaL_error(L, "JSON cannot carry %f (%s)", number, where);
  if (is_integer)
    lua_integer2str(text, sizeof text, integer);
  else
    for (int digits = 15; digits <= 17; digits++) { /* as few as read back as the same number */
      snprintf(text, sizeof text, "%.*g", digits, number);
      if (strtod(text, NULL) == number) break;
    }
  return cJSON_CreateRaw(text);
}

/* Adds the value on top of the stack, which stays there, to `parent`. Strings are referenced, not copied: the value
 * being encoded keeps them alive. */
static void add_value(lua_State *L, cJSON *parent, const char *key, const char *where, int depth) {
  luaL_checkstack(L, 6, "JSON");
  switch (lua_type(L, -1)) {
  case LUA_TBOOLEAN:
    attach(L, parent, key, cJSON_CreateBool(lua_toboolean(L, -1)));
    return;
  case LUA_TNUMBER:
    attach(L, parent, key, create_number(L, where));
    return;
  case LUA_TSTRING:
    attach(L, parent, key, cJSON_CreateStringReference(checked_string(L, -1, where)));
    return;
  case LUA_TLIGHTUSERDATA:
    if (lua_touserdata(L, -1)) break;
    attach(L, parent, key, cJSON_CreateNull());
    return;
  case LUA_TTABLE:
    if (depth >= DEPTH_LIMIT) luaL_error(L, "JSON cannot carry a cycle or more than %d levels (%s)", depth, where);
    if (is_list(L, where)) {
      cJSON *array = attach(L, parent, key, cJSON_CreateArray());
      for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1))
        add_value(L, array, NULL, where, depth + 1);
      lua_pop(L, 1);
    } else {
      cJSON *object = attach(L, parent, key, cJSON_CreateObject());
      for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *name = checked_string(L, -2, where);
        add_value(L, object, name, name, depth + 1);
      }
      sort_members(L, object);
    }
    return;
  }
  luaL_error(L, "JSON cannot carry a %s (%s)", luaL_typename(L, -1), where);
}

static void add_line(luaL_Buffer *out, int depth) {
  luaL_addchar(out, '\n');
  for (int i = 0; i < depth; i++) luaL_addstring(out, "  ");
}

/* Pushes compact JSON laid out for people: two spaces a level, an entry a line, as nearly every other tool does. */
static void push_indented(lua_State *L, const char *text) {
  luaL_Buffer out;
  int depth = 0;
  luaL_buffinit(L, &out);
  for (const char *p = text; *p; p++) {
    if (*p == '"') { /* strings pass as they are */
      const char *start = p++;
      while (*p != '"') p += *p == '\\' ? 2 : 1;
      luaL_addlstring(&out, start, (size_t)(p + 1 - start));
      continue;
    }
    bool empty = (*p == '{' || *p == '[') && (p[1] == '}' || p[1] == ']');
    if (*p == '}' || *p == ']') add_line(&out, --depth);
    luaL_addchar(&out, *p);
    if (empty)
      luaL_addchar(&out, *++p);
    else if (*p == '{' || *p == '[')
      add_line(&out, ++depth);
    else if (*p == ',')
      add_line(&out, depth);
    else if (*p == ':')
      luaL_addchar(&out, ' ');
  }
  luaL_pushresult(&out);
}

static int encode(lua_State *L) {
  bool indent = false;
  luaL_checkany(L, 1);
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "indent");
    indent = lua_toboolean(L, -1);
  }
  lua_settop(L, 1);
  struct temporary *t = temporary_new(L);
  t->tree = cJSON_CreateArray(); /* the parent of the value itself */
  if (!t->tree) return luaL_error(L, "not enough memory");
  lua_pushvalue(L, 1);
  add_value(L, t->tree, NULL, "at the top", 0);
  t->text = cJSON_PrintBuffered(t->tree->child, 1024, false);
  if (!t->text) return luaL_error(L, "not enough memory");
  if (indent)
    push_indented(L, t->text);
  else
    lua_pushstring(L, t->text);
  return 1;
}

/* -- the table ----------------------------------------------------------------------------------------------------- */

static int mark(lua_State *L, const char *name) {
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_setmetatable(L, name);
  return 1;
}

static int mark_array(lua_State *L) { return mark(L, ARRAY); }

static int mark_object(lua_State *L) { return mark(L, OBJECT); }

static int is_array(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, lua_istable(L, 1) && has_mark(L, 1, ARRAY));
  return 1;
}

static int null_name(lua_State *L) {
  if (lua_touserdata(L, 1))
    lua_pushfstring(L, "userdata: %p", lua_touserdata(L, 1));
  else
    lua_pushliteral(L, "null");
  return 1;
}

int open_json(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"decode", decode},      {"encode", encode},     {"array", mark_array},
      {"object", mark_object}, {"is_array", is_array}, {NULL, NULL},
  };
  host_new_class(L, TEMPORARY, NULL, temporary_free);
  host_new_class(L, ARRAY, NULL, NULL);
  host_new_class(L, OBJECT, NULL, NULL);
  luaL_newlib(L, functions);
  lua_pushlightuserdata(L, NULL); /* all light userdata share one metatable */
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, null_name);
  lua_setfield(L, -2, "__tostring");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "null");
  return 1;
}
