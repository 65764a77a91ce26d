/* The terminal, for Lua: require "host.tty". Line editing is libedit's, loaded when first used; it serves the REPL,
 * while is_terminal and size serve every report.
 *
 *   tty.is_terminal(fd)         -> boolean
 *   tty.size()                  -> columns, rows    80, 24 when there is no terminal
 *   tty.read_line(prompt)       -> line, without its end | nil at the end of input | nil, err
 *                                  Without a terminal, just the next line of standard input. A prompt's invisible parts
 *                                  (colours) stand between "\1" and "\1". Ctrl-C gives err.code "Interrupted".
 *   tty.set_completer(fn | nil)    Tab calls fn(text before the cursor) -> array of words, start: the words that can
 *                                  stand for the text from byte `start` on. What fn throws, read_line throws.
 *   tty.add_history(line)
 *   tty.load_history(path), tty.save_history(path)  -> true | nil, err     the file is its owner's alone
 *   tty.read_secret(prompt)     -> line | nil at the end of input | nil, err    from the terminal even when input is
 *                                  not one, without echo
 *
 * All that reads a line blocks the whole program until it is there. err.code is "NoLibrary" when libedit is missing. */
#include "host.h"

#include "lazy.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define EDIT_FUNCTIONS(X)                                                                                              \
  X(el_init)                                                                                                           \
  X(el_end)                                                                                                            \
  X(el_set)                                                                                                            \
  X(el_get)                                                                                                            \
  X(el_gets)                                                                                                           \
  X(el_line)                                                                                                           \
  X(el_insertstr)                                                                                                      \
  X(el_source)                                                                                                         \
  X(history_init)                                                                                                      \
  X(history_end)                                                                                                       \
  X(history)
LAZY_LIBRARY(edit, "libedit.so.2", EDIT_FUNCTIONS)

#define EDITOR "infra.tty.editor"

enum { HISTORY_SIZE = 1000, SECRET_SIZE = 1024, CTRL_C = 3, CTRL_D = 4, CTRL_U = 21, BACKSPACE = 8, DELETE = 127 };
enum { TOO_LONG = -1 };
enum { COMPLETER = 1, THROWN = 2, USER_VALUES = 2 }; /* an editor's user values */
enum { EDITOR_INDEX = 2 };                           /* where functions have the editor on their stack */

/* One for each Lua state, in the registry under EDITOR ".instance". */
struct editor {
  EditLine *line;
  History *history;
  lua_State *L; /* whoever is reading a line; NULL when nobody is */
  const char *prompt;
  bool interrupted, threw;
};

/* -- called by libedit ------------------------------------------------------------------------------------------ */

static struct editor *editor_behind(EditLine *line) {
  void *editor = NULL;
  edit.el_get(line, EL_CLIENTDATA, &editor);
  return editor;
}

static char *prompt(EditLine *line) { return (char *)editor_behind(line)->prompt; }

static unsigned char interrupt(EditLine *line, int key) {
  (void)key;
  editor_behind(line)->interrupted = true;
  return CC_EOF;
}

static struct winsize terminal_size(void) {
  static const int descriptors[] = {STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO};
  struct winsize size = {0};
  for (size_t i = 0; i < 3 && size.ws_col == 0; i++)
    if (ioctl(descriptors[i], TIOCGWINSZ, &size) < 0) size.ws_col = 0;
  return size.ws_col ? size : (struct winsize){.ws_col = 80, .ws_row = 24};
}

/* How many bytes all of the words have in common, at most up to a character's end. */
static size_t common_prefix(lua_State *L, int words, lua_Integer count) {
  size_t common = SIZE_MAX;
  const char *first = NULL;
  for (lua_Integer i = 1; i <= count; i++) {
    size_t same = 0;
    if (lua_rawgeti(L, words, i) != LUA_TSTRING)
      luaL_error(L, "a completer returned a %s among its words", luaL_typename(L, -1));
    const char *word = lua_tostring(L, -1);
    if (!first) first = word;
    while (word[same] && word[same] == first[same]) same++;
    if (same < common) common = same;
    lua_pop(L, 1); /* the array keeps it */
  }
  while (common > 0 && (first[common] & 0xc0) == 0x80) common--;
  return common;
}

/* Below the line, in as many columns as the terminal has room for. common_prefix has checked the words. */
static void list_words(lua_State *L, int words, lua_Integer count) {
  static const int gap = 2;
  int widest = 0;
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, words, i);
    if (lua_rawlen(L, -1) > (lua_Unsigned)widest) widest = (int)lua_rawlen(L, -1);
    lua_pop(L, 1);
  }
  lua_Integer columns = (terminal_size().ws_col + gap) / (widest + gap);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, words, i);
    bool begins = columns < 2 || i % columns == 1, ends = columns < 2 || i % columns == 0 || i == count;
    printf("%s%-*s", begins ? "\n" : "  ", ends ? 0 : widest, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  printf("\n");
}

/* Protected: asks the completer of the editor (argument 1) and changes the line; returns what `complete` returns. */
static int ask_completer(lua_State *L) {
  const struct editor *editor = luaL_checkudata(L, 1, EDITOR);
  const LineInfo *line = edit.el_line(editor->line);
  size_t length = (size_t)(line->cursor - line->buffer), typed;
  if (lua_getiuservalue(L, 1, COMPLETER) == LUA_TNIL) {
    lua_pushinteger(L, CC_ERROR);
    return 1;
  }
  lua_pushlstring(L, line->buffer, length);
  lua_call(L, 1, 2);
  lua_Integer start = luaL_optinteger(L, 3, 1), count = lua_istable(L, 2) ? (lua_Integer)lua_rawlen(L, 2) : 0;
  typed = start >= 1 && (size_t)start <= length + 1 ? length + 1 - (size_t)start : length;
  int result = CC_ERROR; /* a beep */
  if (count > 0) {
    size_t common = common_prefix(L, 2, count);
    lua_rawgeti(L, 2, 1);
    if (common > typed) {
      edit.el_insertstr(editor->line, lua_pushlstring(L, lua_tostring(L, -1) + typed, common - typed));
      result = CC_REFRESH;
    } else if (count > 1) {
      list_words(L, 2, count);
      result = CC_REDISPLAY;
    }
  }
  lua_pushinteger(L, result);
  return 1;
}

/* A Lua error must not cross libedit: it ends the line, and read_line throws it again. */
static unsigned char complete(EditLine *line, int key) {
  struct editor *editor = editor_behind(line);
  lua_State *L = editor->L;
  unsigned char result = CC_EOF;
  (void)key;
  if (!lua_checkstack(L, 3)) return CC_ERROR;
  lua_pushcfunction(L, ask_completer);
  lua_pushvalue(L, EDITOR_INDEX);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
    result = (unsigned char)lua_tointeger(L, -1);
    lua_pop(L, 1);
  } else {
    editor->threw = true;
    lua_setiuservalue(L, EDITOR_INDEX, THROWN);
  }
  return result;
}

/* -- the editor ------------------------------------------------------------------------------------------------- */

static int editor_gc(lua_State *L) {
  struct editor *editor = luaL_checkudata(L, 1, EDITOR);
  if (editor->line) edit.el_end(editor->line);
  if (editor->history) edit.history_end(editor->history);
  editor->line = NULL;
  editor->history = NULL;
  return 0;
}

static void set_up(struct editor *editor) {
  HistEvent event;
  edit.history(editor->history, &event, H_SETSIZE, HISTORY_SIZE);
  edit.history(editor->history, &event, H_SETUNIQUE, 1);
  edit.el_set(editor->line, EL_CLIENTDATA, editor);
  edit.el_set(editor->line, EL_HIST, edit.history, editor->history);
  edit.el_set(editor->line, EL_PROMPT_ESC, prompt, '\1');
  edit.el_set(editor->line, EL_SIGNAL, 1); /* a signal that ends the program finds the terminal as it was */
  edit.el_set(editor->line, EL_EDITOR, "emacs");
  edit.el_set(editor->line, EL_ADDFN, "infra-complete", "Complete the word before the cursor", complete);
  edit.el_set(editor->line, EL_ADDFN, "infra-interrupt", "Give up this line", interrupt);
  edit.el_set(editor->line, EL_BIND, "^I", "infra-complete", NULL);
  edit.el_set(editor->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
  edit.el_source(editor->line, NULL); /* the user's ~/.editrc */
  /* Ctrl-C as a key like any other needs no signal handler. */
  edit.el_set(editor->line, EL_SETTY, "-d", "-isig", NULL);
  edit.el_set(editor->line, EL_BIND, "^C", "infra-interrupt", NULL);
}

/* The editor of this Lua state, made when first wanted, pushed at EDITOR_INDEX after the function's one argument.
 * NULL, with nil and an error pushed, when libedit cannot be had. */
static struct editor *push_editor(lua_State *L) {
  const char *problem = load_edit();
  lua_settop(L, EDITOR_INDEX - 1);
  if (problem) {
    host_fail(L, "NoLibrary", "%s", problem);
    return NULL;
  }
  if (lua_getfield(L, LUA_REGISTRYINDEX, EDITOR ".instance") != LUA_TNIL) return lua_touserdata(L, EDITOR_INDEX);
  lua_pop(L, 1);
  struct editor *editor = lua_newuserdatauv(L, sizeof *editor, USER_VALUES);
  *editor = (struct editor){0};
  luaL_setmetatable(L, EDITOR);
  setlocale(LC_CTYPE, "C.UTF-8"); /* what libedit decodes keys by */
  editor->history = edit.history_init();
  editor->line = edit.el_init("infra", stdin, stdout, stderr);
  if (!editor->history || !editor->line) luaL_error(L, "not enough memory");
  set_up(editor);
  lua_pushvalue(L, EDITOR_INDEX);
  lua_setfield(L, LUA_REGISTRYINDEX, EDITOR ".instance");
  return editor;
}

static int read_plain_line(lua_State *L) {
  luaL_Buffer line;
  int byte;
  luaL_buffinit(L, &line);
  while ((byte = getc(stdin)) != EOF && byte != '\n') luaL_addchar(&line, (char)byte);
  if (byte == EOF && luaL_bufflen(&line) == 0) return 0;
  luaL_pushresult(&line);
  return 1;
}

static int tty_read_line(lua_State *L) {
  const char *text = luaL_optstring(L, 1, "");
  int length = 0;
  if (!isatty(STDIN_FILENO)) return read_plain_line(L);
  struct editor *editor = push_editor(L);
  if (!editor) return 2;
  if (editor->L) return luaL_error(L, "read_line called by a completer");
  editor->L = L;
  editor->prompt = text;
  editor->interrupted = editor->threw = false;
  const char *line = edit.el_gets(editor->line, &length);
  editor->L = NULL;
  if (editor->threw) {
    lua_getiuservalue(L, EDITOR_INDEX, THROWN);
    return lua_error(L);
  }
  if (!line || length <= 0) {
    puts(""); /* the prompt's line ends here */
    return editor->interrupted ? host_fail(L, "Interrupted", "interrupted") : 0;
  }
  lua_pushlstring(L, line, (size_t)length - (line[length - 1] == '\n'));
  return 1;
}

static int tty_set_completer(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
  if (!push_editor(L)) return 2;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, EDITOR_INDEX, COMPLETER);
  return 0;
}

static int tty_add_history(lua_State *L) {
  const char *line = luaL_checkstring(L, 1);
  const struct editor *editor = push_editor(L);
  HistEvent event;
  if (!editor) return 2;
  edit.history(editor->history, &event, H_ENTER, line);
  return 0;
}

static int with_history_file(lua_State *L, int operation) {
  const char *path = luaL_checkstring(L, 1);
  const struct editor *editor = push_editor(L);
  HistEvent event;
  if (!editor) return 2;
  errno = 0;
  if (edit.history(editor->history, &event, operation, path) < 0)
    return host_fail_errno(L, errno ? errno : EINVAL, path); /* EINVAL: not a history file */
  lua_pushboolean(L, 1);
  return 1;
}

static int tty_load_history(lua_State *L) { return with_history_file(L, H_LOAD); }

static int tty_save_history(lua_State *L) { return with_history_file(L, H_SAVE); }

/* -- secrets ---------------------------------------------------------------------------------------------------- */

/* Applies a key to the `length` bytes typed so far. Returns 0 to go on, the key that ended the line, or TOO_LONG. */
static int edit_secret(char *typed, size_t *length, char key) {
  switch (key) {
  case '\r':
  case '\n':
    return '\n';
  case CTRL_C:
    return CTRL_C;
  case CTRL_D:
    return *length == 0 ? CTRL_D : 0;
  case CTRL_U:
    *length = 0;
    return 0;
  case BACKSPACE:
  case DELETE: /* a whole UTF-8 character */
    while (*length > 0 && (typed[--*length] & 0xc0) == 0x80) continue;
    return 0;
  default:
    if (*length == SECRET_SIZE) return TOO_LONG;
    typed[(*length)++] = key;
    return 0;
  }
}

/* Reads a line from the terminal `fd`, with echo and signals off so that it is always set back to what it was. Returns
 * what ended the line, or 0 when the terminal is gone. */
static int read_without_echo(int fd, char *typed, size_t *length) {
  struct termios before, quiet;
  sigset_t all, mask;
  int end = 0;
  char key;
  if (tcgetattr(fd, &before) < 0) return 0;
  quiet = before;
  quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &mask);
  tcsetattr(fd, TCSADRAIN, &quiet);
  while (!end && read(fd, &key, 1) == 1) end = edit_secret(typed, length, key);
  tcsetattr(fd, TCSADRAIN, &before);
  sigprocmask(SIG_SETMASK, &mask, NULL);
  return end;
}

static int tty_read_secret(lua_State *L) {
  size_t prompt_length, length = 0;
  const char *text = luaL_optlstring(L, 1, "", &prompt_length);
  char typed[SECRET_SIZE];
  int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return host_fail_errno(L, errno, "no terminal to ask for a secret");
  bool asked = write(fd, text, prompt_length) >= 0;
  int end = asked ? read_without_echo(fd, typed, &length) : 0;
  if (end && write(fd, "\n", 1) < 0) end = 0;
  close(fd);
  if (end == '\n') lua_pushlstring(L, typed, length);
  explicit_bzero(typed, sizeof typed);
  if (end == '\n') return 1;
  if (end == TOO_LONG) return host_fail_errno(L, EMSGSIZE, "secret");
  return end == CTRL_C ? host_fail(L, "Interrupted", "interrupted") : 0;
}

/* -- asking about the terminal ---------------------------------------------------------------------------------- */

static int tty_is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

static int tty_size(lua_State *L) {
  struct winsize size = terminal_size();
  lua_pushinteger(L, size.ws_col);
  lua_pushinteger(L, size.ws_row);
  return 2;
}

int open_tty(lua_State *L) {
  static const luaL_Reg functions[] = {{"is_terminal", tty_is_terminal},
                                       {"size", tty_size},
                                       {"read_line", tty_read_line},
                                       {"set_completer", tty_set_completer},
                                       {"add_history", tty_add_history},
                                       {"load_history", tty_load_history},
                                       {"save_history", tty_save_history},
                                       {"read_secret", tty_read_secret},
                                       {NULL, NULL}};
  host_new_class(L, EDITOR, NULL, editor_gc);
  luaL_newlib(L, functions);
  return 1;
}
