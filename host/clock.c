/* Time for Lua: require "host.clock". Only infra.runtime reads the clocks; everyone else asks the runtime, so that time
 * can be simulated. The conversions are pure.
 *
 *   clock.monotonic() -> seconds      never steps back; measures durations
 *   clock.wall()      -> seconds      since 1970-01-01T00:00:00Z
 *   clock.format_utc(seconds, format) -> string          strftime's format, in UTC, fractions cut off
 *   clock.parse_utc(text)             -> seconds | nil   ISO 8601: 2015-08-30, 2015-08-30T12:36:00[.123](Z|+01:00),
 *                                                        also without separators (20150830T123600Z) */
#include "host.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <time.h>

static int push_clock(lua_State *L, clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
  return 1;
}

static int clock_monotonic(lua_State *L) { return push_clock(L, CLOCK_MONOTONIC); }

static int clock_wall(lua_State *L) { return push_clock(L, CLOCK_REALTIME); }

static int clock_format_utc(lua_State *L) {
  lua_Number seconds = floor(luaL_checknumber(L, 1));
  const char *format = luaL_checkstring(L, 2);
  char text[256] = "";
  struct tm parts;
  luaL_argcheck(L, fabs(seconds) < 1e12, 1, "not a time");
  time_t time = (time_t)seconds;
  gmtime_r(&time, &parts);
  luaL_argcheck(L, strftime(text, sizeof text, format, &parts) > 0 || *format == '\0', 2, "text too long");
  lua_pushstring(L, text);
  return 1;
}

/* Reads exactly `count` digits; false when there are fewer or the number is outside low..high. */
static int number(const char **text, int count, int low, int high, int *value) {
  *value = 0;
  for (; count > 0; count--, (*text)++) {
    if (!isdigit((unsigned char)**text)) return 0;
    *value = *value * 10 + (**text - '0');
  }
  return *value >= low && *value <= high;
}

static int skip(const char **text, char wanted) {
  if (**text != wanted) return 0;
  (*text)++;
  return 1;
}

/* Seconds east of UTC: "Z", "+01:00", "-0100". */
static int zone(const char **text, int *offset) {
  int hours, minutes, sign = **text == '-' ? -1 : 1;
  *offset = 0;
  if (skip(text, 'Z') || skip(text, 'z')) return 1;
  if (!skip(text, '+') && !skip(text, '-')) return 0;
  if (!number(text, 2, 0, 23, &hours)) return 0;
  skip(text, ':');
  if (!number(text, 2, 0, 59, &minutes)) return 0;
  *offset = sign * (hours * 3600 + minutes * 60);
  return 1;
}

/* "12:36:00.123Z" after the T; the fraction may have any number of digits. */
static int time_of_day(const char **text, double *seconds) {
  int hour, minute, second, offset;
  double fraction = 0, unit = 0.1;
  if (!number(text, 2, 0, 23, &hour)) return 0;
  skip(text, ':');
  if (!number(text, 2, 0, 59, &minute)) return 0;
  skip(text, ':');
  if (!number(text, 2, 0, 60, &second)) return 0; /* 60: a leap second is the next minute's first */
  if (skip(text, '.'))
    for (; isdigit((unsigned char)**text); (*text)++, unit /= 10) fraction += (**text - '0') * unit;
  if (!zone(text, &offset)) return 0;
  *seconds = hour * 3600 + minute * 60 + second - offset + fraction;
  return 1;
}

static int clock_parse_utc(lua_State *L) {
  size_t length;
  const char *start = luaL_checklstring(L, 1, &length), *text = start;
  struct tm date = {0};
  double seconds = 0;
  int year, month, day, valid = number(&text, 4, 0, 9999, &year);
  skip(&text, '-');
  valid = valid && number(&text, 2, 1, 12, &month);
  skip(&text, '-');
  valid = valid && number(&text, 2, 1, 31, &day);
  if (valid && skip(&text, 'T')) valid = time_of_day(&text, &seconds);
  if (!valid || text != start + length) return 0;
  date.tm_year = year - 1900;
  date.tm_mon = month - 1;
  date.tm_mday = day;
  seconds += (double)timegm(&date);
  if (date.tm_mday != day) return 0; /* timegm turned a 30 February into a day in March */
  lua_pushnumber(L, seconds);
  return 1;
}

int open_clock(lua_State *L) {
  static const luaL_Reg functions[] = {{"monotonic", clock_monotonic},
                                       {"wall", clock_wall},
                                       {"format_utc", clock_format_utc},
                                       {"parse_utc", clock_parse_utc},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
