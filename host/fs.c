/* Files for Lua: require "host.fs". Everything that can fail returns nil and an error whose code is errno's name
 * ("ENOENT") and whose message starts with the path.
 *
 *   fs.read(path)               -> bytes
 *   fs.write(path, s [, mode])  -> true    atomically and durably: readers see the old file or the whole new one.
 *                                          mode defaults to 0600: what infra writes can hold secrets. Follows links;
 *                                          what is no file (a pipe, /dev/null) is written into, as it is
 *   fs.mkdir(path)              -> true    with its parents; an existing directory is fine
 *   fs.list(path)               -> sorted array of names, without "." and ".."
 *   fs.stat(path)               -> { kind, size, mtime (unix seconds), mode (permission bits) }; follows links; kind is
 *                                  "file", "directory" or "other"
 *   fs.remove(path)             -> true    a file or an empty directory
 *   fs.rename(from, to)         -> true
 *   fs.real_path(path)          -> absolute path without links
 *   fs.home(), fs.cwd()         -> absolute path */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWNED "infra.fs.owned"

/* What must be given back even when Lua throws out of memory while a result is built; a to-be-closed value. */
struct owned {
  int fd; /* -1: none */
  struct dirent **names;
  int count;
};

static int owned_close(lua_State *L) {
  struct owned *owned = luaL_checkudata(L, 1, OWNED);
  if (owned->fd >= 0) close(owned->fd);
  for (int i = 0; i < owned->count; i++) free(owned->names[i]);
  free(owned->names);
  *owned = (struct owned){.fd = -1};
  return 0;
}

static struct owned *push_owned(lua_State *L) {
  struct owned *owned = lua_newuserdatauv(L, sizeof *owned, 0);
  *owned = (struct owned){.fd = -1};
  luaL_setmetatable(L, OWNED);
  lua_toclose(L, -1);
  return owned;
}

static const char *check_path(lua_State *L, int index) {
  size_t length;
  const char *path = luaL_checklstring(L, index, &length);
  luaL_argcheck(L, length == strlen(path), index, "NUL byte in a path");
  return path;
}

/* true, or nil and errno's error. */
static int result(lua_State *L, int failed, const char *path) {
  if (failed) return host_fail_errno(L, errno, path);
  lua_pushboolean(L, 1);
  return 1;
}

static int fs_read(lua_State *L) {
  const char *path = check_path(L, 1);
  struct owned *owned = push_owned(L);
  struct stat info;
  luaL_Buffer bytes;
  ssize_t count;

  owned->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (owned->fd < 0 || fstat(owned->fd, &info) < 0) return host_fail_errno(L, errno, path);
  /* One byte more than the size: the end of the file is then seen without growing the buffer. */
  luaL_buffinitsize(L, &bytes, S_ISREG(info.st_mode) ? (size_t)info.st_size + 1 : LUAL_BUFFERSIZE);
  do {
    char *room = luaL_prepbuffsize(&bytes, 1);
    count = TEMP_FAILURE_RETRY(read(owned->fd, room, bytes.size - bytes.n));
    if (count < 0) return host_fail_errno(L, errno, path);
    luaL_addsize(&bytes, (size_t)count);
  } while (count > 0);
  luaL_pushresult(&bytes);
  return 1;
}

static int write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = TEMP_FAILURE_RETRY(write(fd, bytes, length));
    if (count < 0) return -1;
    bytes += count;
    length -= (size_t)count;
  }
  return 0;
}

/* Makes a rename in the directory of `path` durable. */
static int sync_directory(const char *path) {
  char directory[PATH_MAX];
  const char *slash = strrchr(path, '/');
  int fd, failed;
  snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  failed = fsync(fd);
  close(fd);
  return failed;
}

/* Closes what was written to, with the result `failed`; returns what came of both. */
static int close_written(int fd, int failed) {
  int error = errno;
  if (close(fd) < 0 && !failed) return -1;
  errno = error;
  return failed;
}

/* For what a rename would take away from others: a pipe, a terminal, /dev/null. */
static int write_into(const char *path, const char *bytes, size_t length) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd < 0 ? -1 : close_written(fd, write_all(fd, bytes, length));
}

/* `path` is no link: it would be replaced itself. */
static int replace(const char *path, const char *bytes, size_t length, mode_t mode) {
  char temporary[PATH_MAX];
  if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int fd = mkostemp(temporary, O_CLOEXEC);
  if (fd < 0) return -1;
  int failed = close_written(fd, write_all(fd, bytes, length) || fchmod(fd, mode) || fsync(fd));
  if (!failed && rename(temporary, path) == 0) return sync_directory(path);
  int error = errno;
  unlink(temporary);
  errno = error;
  return -1;
}

static int fs_write(lua_State *L) {
  size_t length;
  const char *path = check_path(L, 1);
  const char *bytes = luaL_checklstring(L, 2, &length);
  lua_Integer mode = luaL_optinteger(L, 3, 0600);
  luaL_argcheck(L, mode >= 0 && mode <= 07777, 3, "permission bits wanted");
  char resolved[PATH_MAX];
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) return result(L, write_into(path, bytes, length), path);
  const char *target = realpath(path, resolved) ? resolved : path; /* what is not there yet has no real path */
  return result(L, replace(target, bytes, length, (mode_t)mode), path);
}

static int make_directory(const char *path) {
  struct stat info;
  int error;
  if (mkdir(path, 0777) == 0) return 0;
  error = errno;
  if (error == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return 0;
  errno = error;
  return -1;
}

static int fs_mkdir(lua_State *L) {
  size_t length = strlen(check_path(L, 1));
  char path[PATH_MAX];
  if (length >= sizeof path) return host_fail_errno(L, ENAMETOOLONG, lua_tostring(L, 1));
  memcpy(path, lua_tostring(L, 1), length + 1);
  for (char *slash = path + 1; length > 0 && (slash = strchr(slash, '/')) != NULL; slash++) {
    *slash = '\0';
    if (make_directory(path) < 0) return host_fail_errno(L, errno, path);
    *slash = '/';
  }
  return result(L, make_directory(path), path);
}

static int is_name(const struct dirent *entry) {
  return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Bytewise, where alphasort would follow the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int fs_list(lua_State *L) {
  const char *path = check_path(L, 1);
  struct owned *owned = push_owned(L);
  int count = scandir(path, &owned->names, is_name, compare_names);
  if (count < 0) return host_fail_errno(L, errno, path);
  owned->count = count;
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    lua_pushstring(L, owned->names[i]->d_name);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static int fs_stat(lua_State *L) {
  const char *path = check_path(L, 1);
  struct stat info;
  if (stat(path, &info) < 0) return host_fail_errno(L, errno, path);
  lua_createtable(L, 0, 4);
  lua_pushstring(L, S_ISREG(info.st_mode) ? "file" : S_ISDIR(info.st_mode) ? "directory" : "other");
  lua_setfield(L, -2, "kind");
  lua_pushinteger(L, info.st_size);
  lua_setfield(L, -2, "size");
  lua_pushnumber(L, (lua_Number)info.st_mtim.tv_sec + (lua_Number)info.st_mtim.tv_nsec / 1e9);
  lua_setfield(L, -2, "mtime");
  lua_pushinteger(L, info.st_mode & 07777);
  lua_setfield(L, -2, "mode");
  return 1;
}

static int fs_remove(lua_State *L) {
  const char *path = check_path(L, 1);
  return result(L, remove(path), path);
}

static int fs_rename(lua_State *L) {
  const char *from = check_path(L, 1), *to = check_path(L, 2);
  return result(L, rename(from, to), from);
}

static int fs_real_path(lua_State *L) {
  const char *path = check_path(L, 1);
  char resolved[PATH_MAX];
  if (!realpath(path, resolved)) return host_fail_errno(L, errno, path);
  lua_pushstring(L, resolved);
  return 1;
}

static int fs_home(lua_State *L) {
  const char *home = getenv("HOME");
  if (!home || !*home) {
    const struct passwd *user = getpwuid(getuid());
    if (!user) return host_fail(L, "ENOENT", "this user has no home directory: set HOME");
    home = user->pw_dir;
  }
  lua_pushstring(L, home);
  return 1;
}

static int fs_cwd(lua_State *L) {
  char path[PATH_MAX];
  if (!getcwd(path, sizeof path)) return host_fail_errno(L, errno, "current directory");
  lua_pushstring(L, path);
  return 1;
}

int open_fs(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"read", fs_read}, {"write", fs_write},   {"mkdir", fs_mkdir},   {"list", fs_list},
      {"stat", fs_stat}, {"remove", fs_remove}, {"rename", fs_rename}, {"real_path", fs_real_path},
      {"home", fs_home}, {"cwd", fs_cwd},       {NULL, NULL}};
  host_new_class(L, OWNED, NULL, owned_close);
  luaL_newlib(L, functions);
  return 1;
}
