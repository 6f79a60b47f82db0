#!/bin/sh
# Makes ./configure from configure.ac. Needs autoconf and automake (Debian packages of these names).
set -e
cd "$(dirname "$0")"
for tool in autoreconf automake; do
  command -v "$tool" >/dev/null || { echo "autogen.sh: $tool is missing: apt-get install autoconf automake" >&2; exit 1; }
done
mkdir -p m4
exec autoreconf --install --force "$@"
