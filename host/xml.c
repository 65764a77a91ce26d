/* XML for AWS's query, ec2 and rest-xml protocols, both sides: reading a document into a tree, escaping what is
 * written.
 *
 *   xml.parse(text [, { depth = 256, bytes = 64 MiB }]) -> node | nil, err{ code = "BadXml", message, line }
 *     node = { name = "local name", attributes = { ["xsi:type"] = "..." } or nil, text = "...", [1..n] = child nodes }
 *     Names lose their prefix, attribute names keep it; text is all character data directly inside, "" if none.
 *   xml.escape(text) -> text fit for element content and attribute values
 *
 * Parsing is expat's. Its callbacks must not throw, so they only fill plain C arrays, and the Lua tree is built from
 * those afterwards. Documents with a DOCTYPE are refused: AWS never sends one, and entities are how XML attacks. */
#include "buffer.h"
#include "host.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

#define DOCUMENT "infra.xml.document"
#define DEFAULT_DEPTH 256
#define DEFAULT_BYTES (64 << 20)

/* An element. Nodes are stored in document order: parents before their children. */
struct node {
  size_t parent;      /* index; the root's is its own */
  size_t name;        /* offset in strings: the name, then attribute names and values by turns, each with its NUL */
  size_t text;        /* offset in strings, in `pending` while the element is open */
  size_t text_length; /* set when it closes */
  int attributes;     /* pairs of name and value */
  int children;
  int position; /* among its siblings, from 1; the root's is 0 */
  int depth;    /* the root's is 1 */
};

struct document {
  XML_Parser parser;
  struct buffer nodes;
  struct buffer strings; /* names, attributes and the text of closed elements */
  struct buffer pending; /* the text of open elements, the innermost last: text around children stays together */
  size_t current;        /* the innermost open element */
  int depth, max_depth;  /* of the current element; 0 when none is open */
  const char *problem;   /* why a callback stopped the parser; nothing that is stored is looked at after that */
};

static int document_free(lua_State *L) {
  struct document *d = luaL_checkudata(L, 1, DOCUMENT);
  if (d->parser) XML_ParserFree(d->parser);
  d->parser = NULL;
  buffer_free(&d->nodes);
  buffer_free(&d->strings);
  buffer_free(&d->pending);
  return 0;
}

static struct node *node_at(const struct document *d, size_t index) { return (struct node *)d->nodes.data + index; }

/* -- expat's callbacks --------------------------------------------------------------------------------------------- */

static void stop(struct document *d, const char *problem) {
  d->problem = problem;
  XML_StopParser(d->parser, XML_FALSE);
}

static void append(struct document *d, struct buffer *to, const void *data, size_t size) {
  if (!buffer_append(to, data, size)) stop(d, "not enough memory");
}

static void start_element(void *data, const char *name, const char **attributes) {
  struct document *d = data;
  if (d->problem) return; /* expat still delivers what it had already read */
  if (d->depth == d->max_depth) {
    stop(d, "nested too deeply");
    return;
  }
  const char *colon = strrchr(name, ':'), *local = colon ? colon + 1 : name;
  struct node node = {.parent = d->current, .depth = ++d->depth, .name = d->strings.size, .text = d->pending.size};
  if (d->nodes.size) node.position = ++node_at(d, d->current)->children;
  append(d, &d->strings, local, strlen(local) + 1);
  for (int i = 0; attributes[i]; i++) {
    append(d, &d->strings, attributes[i], strlen(attributes[i]) + 1);
    node.attributes += i % 2;
  }
  d->current = d->nodes.size / sizeof node;
  append(d, &d->nodes, &node, sizeof node);
}

static void end_element(void *data, const char *name) {
  struct document *d = data;
  (void)name;
  if (d->problem) return;
  struct node *node = node_at(d, d->current);
  size_t start = node->text;
  node->text_length = d->pending.size - start;
  node->text = d->strings.size;
  if (node->text_length) append(d, &d->strings, d->pending.data + start, node->text_length);
  d->pending.size = start;
  d->current = node->parent;
  d->depth--;
}

static void character_data(void *data, const char *text, int length) {
  struct document *d = data;
  if (!d->problem) append(d, &d->pending, text, (size_t)length);
}

static void start_doctype(void *data, const char *name, const char *system_id, const char *public_id, int internal) {
  (void)name, (void)system_id, (void)public_id, (void)internal;
  stop(data, "a DOCTYPE is not accepted");
}

/* -- the Lua tree -------------------------------------------------------------------------------------------------- */

/* Pushes the table of one node, without its children. */
static void push_node(lua_State *L, const struct document *d, const struct node *node) {
  const char *string = d->strings.data + node->name;
  lua_createtable(L, node->children, node->attributes ? 3 : 2);
  lua_pushstring(L, string);
  lua_setfield(L, -2, "name");
  lua_pushlstring(L, d->strings.data + node->text, node->text_length);
  lua_setfield(L, -2, "text");
  if (!node->attributes) return;
  lua_createtable(L, 0, node->attributes);
  for (int i = 0; i < node->attributes; i++) {
    string += strlen(string) + 1;
    lua_pushstring(L, string);
    string += strlen(string) + 1;
    lua_pushstring(L, string);
    lua_rawset(L, -3);
  }
  lua_setfield(L, -2, "attributes");
}

/* Pushes the root. The path from the root to the node at hand lies on the stack, so that recursion is not needed. */
static void push_tree(lua_State *L, const struct document *d) {
  int base = lua_gettop(L);
  for (size_t i = 0; i < d->nodes.size / sizeof(struct node); i++) {
    const struct node *node = node_at(d, i);
    lua_settop(L, base + node->depth - 1);
    luaL_checkstack(L, 5, "XML");
    push_node(L, d, node);
    if (!node->position) continue;
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, node->position);
  }
  lua_settop(L, base + 1);
}

/* A limit among the options in argument 2. */
static int limit(lua_State *L, const char *name, int standard) {
  int is_integer = 1;
  lua_Integer value = standard;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    if (lua_getfield(L, 2, name) != LUA_TNIL) value = lua_tointegerx(L, -1, &is_integer);
    lua_pop(L, 1);
  }
  luaL_argcheck(L, is_integer && value > 0 && value < INT_MAX, 2, name);
  return (int)value;
}

static int bad_xml(lua_State *L, lua_Integer line, const char *problem) {
  host_fail(L, "BadXml", "not XML: %s (line %I)", problem, line);
  lua_pushinteger(L, line);
  lua_setfield(L, -2, "line");
  return 2;
}

static int parse(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  int max_depth = limit(L, "depth", DEFAULT_DEPTH), max_bytes = limit(L, "bytes", DEFAULT_BYTES);
  if (length > (size_t)max_bytes) return bad_xml(L, 1, "larger than the limit");
  lua_settop(L, 1);
  struct document *d = lua_newuserdatauv(L, sizeof *d, 0);
  *d = (struct document){.max_depth = max_depth};
  luaL_setmetatable(L, DOCUMENT);
  lua_toclose(L, -1);
  d->parser = XML_ParserCreate(NULL);
  if (!d->parser) return luaL_error(L, "not enough memory");
  XML_SetUserData(d->parser, d);
  XML_SetElementHandler(d->parser, start_element, end_element);
  XML_SetCharacterDataHandler(d->parser, character_data);
  XML_SetStartDoctypeDeclHandler(d->parser, start_doctype);
  if (XML_Parse(d->parser, text, (int)length, XML_TRUE) != XML_STATUS_OK) {
    lua_Integer line = (lua_Integer)XML_GetCurrentLineNumber(d->parser);
    return bad_xml(L, line, d->problem ? d->problem : XML_ErrorString(XML_GetErrorCode(d->parser)));
  }
  push_tree(L, d);
  return 1;
}

/* Line ends are written as references, because parsers turn \r\n and \r into \n, and all of them in attributes into
 * spaces.
 */
static int escape(lua_State *L) {
  static const char *const references[UCHAR_MAX + 1] = {
      ['&'] = "&amp;",   ['<'] = "&lt;",   ['>'] = "&gt;",   ['"'] = "&quot;",
      ['\''] = "&apos;", ['\r'] = "&#xD;", ['\n'] = "&#xA;", ['\t'] = "&#x9;",
  };
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length), *end = text + length;
  luaL_Buffer out;
  luaL_buffinitsize(L, &out, length);
  for (const char *plain = text; text <= end; text++) {
    const char *reference = text < end ? references[(unsigned char)*text] : "";
    if (!reference) continue;
    luaL_addlstring(&out, plain, (size_t)(text - plain));
    luaL_addstring(&out, reference);
    plain = text + 1;
  }
  luaL_pushresult(&out);
  return 1;
}

int open_xml(lua_State *L) {
  static const luaL_Reg functions[] = {{"parse", parse}, {"escape", escape}, {NULL, NULL}};
  host_new_class(L, DOCUMENT, NULL, document_free);
  luaL_newlib(L, functions);
  return 1;
}
