# shellcheck shell=bash disable=SC2034
# common.sh: what the scripts share: where the project is, the packages it needs, and how it is built.
# Sourced, never run. Every function says on stderr what it does when it takes time.

set -euo pipefail

# Debian packages, one list for all scripts. A package that a script can do without does not belong here.
PACKAGES=(
  build-essential autoconf automake pkg-config clang libclang-rt-dev clang-tidy cppcheck valgrind
  libevent-dev libssl-dev libhiredis-dev libcbor-dev libjansson-dev libcmocka-dev libseccomp-dev libncurses-dev
  redis-server openssl shellcheck groff-base spin
  python3-pytest python3-pytest-xdist python3-redis python3-cbor2 python3-pyflakes
)

# These are large, and only a few tests want them, which skip with a reason where they are not installed: promtool, and a
# browser to look at the status page with.
OPTIONAL_PACKAGES=(prometheus chromium chromium-driver python3-selenium)

# Debian's Python, which is the one that has the packages above; another may stand before it in PATH.
PYTHON=/usr/bin/python3

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
JOBS=$(nproc)
export PYTHONDONTWRITEBYTECODE=1 # the tree of a user stays as clean as it was
# What the scripts of Python import: the parts of the system tests, and their own.
export PYTHONPATH=$ROOT/tests/lib:$ROOT/scripts/lib

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$(basename "$0"): $*"
  exit 1
}

# Prints those of the packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

# need_packages PACKAGE…: installs what is missing, with apt-get, and only if something is.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "This is no Debian system: taking it for granted that the likes of these are installed: $*"
    return 0
  fi
  local missing root=() log
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "packages are missing and there is no sudo. As root: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  say "Installing ${missing[*]} …"
  log=$(mktemp)
  if ! { "${root[@]}" apt-get update && "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "the packages could not be installed; try by hand: apt-get install ${missing[*]}"
  fi
  rm -f "$log"
}

# True if configure is not there, or older than what it is made from.
configure_is_outdated() {
  [ ! -e "$ROOT/configure" ] || [ ! -e "$ROOT/Makefile.in" ] || [ -n "$(
    find "$ROOT" \( -name .git -o -name 'build*' \) -prune -o \
      \( -name configure.ac -o -name Makefile.am -o -name local.mk \) -newer "$ROOT/Makefile.in" -print -quit
  )" ]
}

# build DIRECTORY [configure options, VARIABLE=value…]: builds out of tree: everything, or $BUILD_TARGETS. Nothing is printed unless it fails; then
# the end of the log. Two that build at the same time wait for each other.
build() {
  local directory=$1 options=("${@:2}") log wanted targets
  mkdir -p "$directory"
  directory=$(cd "$directory" && pwd)
  log=$directory/build.log
  wanted=$(printf '%q ' "${options[@]}")
  [ ! -e "$ROOT/config.status" ] || [ "$directory" = "$ROOT" ] ||
    die "the source folder itself is configured, which rules out a build elsewhere: make -C $ROOT distclean"
  (
    flock 9
    if configure_is_outdated; then
      say "Making configure …"
      "$ROOT/autogen.sh" >"$log" 2>&1 || build_failed "$log"
    fi
    cd "$directory"
    if [ ! -e Makefile ] || [ "$ROOT/configure" -nt config.status ] ||
      [ "$(cat options 2>/dev/null)" != "$wanted" ]; then
      say "Configuring $(basename "$directory") …"
      "$ROOT/configure" "${options[@]}" >"$log" 2>&1 || build_failed "$log"
      printf '%s\n' "$wanted" >options
    fi
    read -ra targets <<<"${BUILD_TARGETS:-all}"
    make --question "${targets[@]}" >/dev/null 2>&1 || say "Building $(basename "$directory") …"
    make -j"$JOBS" "${targets[@]}" >"$log" 2>&1 || build_failed "$log"
  ) 9<"$ROOT"
}

build_failed() {
  # What went wrong is seldom at the very end when several jobs run: errors first, then the end.
  grep -nE '(error|ERROR|undefined reference)' "$1" | head -n 10 >&2 || true
  say '…'
  tail -n 25 "$1" >&2
  die "the build failed; all of it: $1"
}
