#!/bin/sh
# Installs the Debian packages named as arguments that are missing; silent and offline when none is.
set -eu
missing=
for package in "$@"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
# A node from elsewhere serves as well as Debian's, and so do the tools that come with it.
if command -v npm >/dev/null && command -v node >/dev/null; then
  missing=$(echo " $missing " | sed 's/ nodejs / /; s/ npm / /')
fi
[ -n "$(echo $missing)" ] || exit 0
command -v apt-get >/dev/null || { echo "make: missing packages:$missing (no apt-get here to install them)" >&2; exit 1; }
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
export DEBIAN_FRONTEND=noninteractive
echo "make: installing$missing"
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing; } >/dev/null || {
  echo "make: could not install$missing with apt-get: is Debian's package mirror reachable?" >&2
  exit 1
}
