# shellcheck shell=bash disable=SC2034
# common.sh: what the scripts share: the path of the project, the packages that it needs, and the build. Scripts source
# it. A function that takes time says on stderr what it does.

set -euo pipefail

# Debian packages, in one list for all scripts. It has no package that the scripts can do without.
PACKAGES=(
  build-essential autoconf automake pkg-config clang libclang-rt-dev clang-tidy cppcheck valgrind
  libevent-dev libssl-dev libhiredis-dev libcbor-dev libjansson-dev libcmocka-dev libseccomp-dev libncurses-dev
  redis-server openssl shellcheck groff-base spin
  python3-pytest python3-pytest-xdist python3-redis python3-cbor2 python3-pyflakes python3-yaml
)

# Large packages for a few tests: promtool, and a browser for the status page. The tests skip without them, with a
# reason.
OPTIONAL_PACKAGES=(prometheus chromium chromium-driver python3-selenium)

# Debian's Python has the packages above. Another Python may come before it in PATH.
PYTHON=/usr/bin/python3

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
JOBS=$(nproc)
export PYTHONDONTWRITEBYTECODE=1 # the source folder stays clean
# The Python scripts import the parts of the system tests, and those of their own.
export PYTHONPATH=$ROOT/tests/lib:$ROOT/scripts/lib

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$(basename "$0"): $*"
  exit 1
}

# missing_packages PACKAGE…: prints the packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

# need_packages PACKAGE…: installs the missing packages with apt-get.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "This is not a Debian system. The scripts assume that packages like these are installed: $*"
    return 0
  fi
  local missing root=() log
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "packages are missing, and there is no sudo. As root, run: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  say "Installing ${missing[*]} …"
  log=$(mktemp)
  if ! { "${root[@]}" apt-get update && "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "cannot install the packages. Try by hand: apt-get install ${missing[*]}"
  fi
  rm -f "$log"
}

# Returns true if configure is missing, or older than its sources.
configure_is_outdated() {
  [ ! -e "$ROOT/configure" ] || [ ! -e "$ROOT/Makefile.in" ] || [ -n "$(
    find "$ROOT" \( -name .git -o -name 'build*' \) -prune -o \
      \( -name configure.ac -o -name Makefile.am -o -name local.mk \) -newer "$ROOT/Makefile.in" -print -quit
  )" ]
}

# build DIRECTORY [configure options, VARIABLE=value…]: builds everything, or $BUILD_TARGETS, out of the source tree. If
# the build fails, the end of the log is printed. Two builds at the same time wait for each other.
build() {
  local directory=$1 options=("${@:2}") log wanted targets
  mkdir -p "$directory"
  directory=$(cd "$directory" && pwd)
  log=$directory/build.log
  wanted=$(printf '%q ' "${options[@]}")
  [ ! -e "$ROOT/config.status" ] || [ "$directory" = "$ROOT" ] ||
    die "the source folder itself is configured, so no other folder can be built in. First run: make -C $ROOT distclean"
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
  # With several jobs the error is seldom at the end of the log. So the errors come first, and then the end.
  grep -nE '(error|ERROR|undefined reference)' "$1" | head -n 10 >&2 || true
  say '…'
  tail -n 25 "$1" >&2
  die "the build failed. The whole log: $1"
}
