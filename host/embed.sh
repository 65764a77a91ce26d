#!/bin/sh
# Writes the assembly that carries Lua sources inside the binary, verbatim, as the table host_modules (host.h).
# usage: embed.sh PATH...   each PATH is lua/<module path>.lua, or a text file beside the module that reads it, or
#                           NAME=PATH for one from elsewhere
set -eu
for argument in "$@"; do
  case $argument in
  *=*) printf '%s %s\n' "${argument%%=*}" "${argument#*=}" ;;
  *)
    name=${argument#lua/}
    name=${name%.*}
    name=${name%/init}
    printf '%s %s\n' "$(printf %s "$name" | tr / .)" "$argument"
    ;;
  esac
done | LC_ALL=C sort | awk '
  { name[NR] = $1; path[NR] = $2 }
  END {
    print ".section .rodata"
    for (i = 1; i <= NR; i++)
      printf "name%d: .asciz \"%s\"\npath%d: .asciz \"%s\"\ndata%d: .incbin \"%s\"\nend%d:\n", i, name[i], i, path[i], i, path[i], i
    print ".section .data.rel.ro,\"aw\"\n.balign 8\n.globl host_modules\nhost_modules:"
    for (i = 1; i <= NR; i++) printf ".quad name%d, path%d, data%d, end%d\n", i, i, i, i
    printf ".section .rodata\n.balign 8\n.globl host_modules_count\nhost_modules_count: .quad %d\n", NR
    print ".section .note.GNU-stack,\"\",@progbits"
  }'
