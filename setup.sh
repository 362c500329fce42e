#!/bin/sh
# Installs what xgrad is built with, and asks nothing. `make train` and `make test` call it; so can you.
#
#   ./setup.sh          the system packages that are missing, by apt (Debian 12, Ubuntu 22.04 and later)
#   ./setup.sh python   those, and what only tests use: clang, if it can be had, and build/venv, the Python that the
#                       file-format tests exchange files with
#   ./setup.sh emulator those, and an emulator for tests/emulated
#
# When nothing is missing it needs no network and takes a fraction of a second. The compiler it settled on is left in
# build/compiler: the system's g++ where that is version 12 or later, else g++-12.
set -eu
cd "$(dirname "$0")"

packages='cmake ninja-build g++ ccache libxtensor-dev xtl-dev libfmt-dev catch2 libopenblas-dev
  zlib1g-dev nlohmann-json3-dev dataset-fashion-mnist python3 python3-venv valgrind graphviz'
packages=$(echo $packages)
[ "$(uname -m)" != x86_64 ] || packages="$packages libdnnl-dev"  # elsewhere CBLAS does its work

say() { printf 'setup: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Those of the given packages that are not installed.
missing_of() {
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}|${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii *|//p')
  for package in "$@"; do
    printf '%s\n' "$installed" | grep -qxF "$package" || printf '%s ' "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then env DEBIAN_FRONTEND=noninteractive "$@"
  else sudo -n env DEBIAN_FRONTEND=noninteractive "$@"; fi
}

# Installs the given packages, fetching the package lists first, once.
install() {
  say "installing: $*"
  [ "$(id -u)" -eq 0 ] || has sudo || fail "that needs root, and there is no sudo: as root, run apt-get install $*"
  [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null ||
    fail "that needs root, and sudo does not let us in without a password: run sudo -v first, or sudo apt-get install $*"
  if [ -z "${lists_fetched:-}" ]; then
    as_root apt-get update -qq || fail "apt-get update failed: is there a network?"
    lists_fetched=yes
  fi
  as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null || fail "apt-get could not install $*"
}

recent_enough() {
  has "$1" && [ "$("$1" -dumpversion | cut -d. -f1)" -ge 12 ]
}

if has apt-get && has dpkg-query; then
  missing=$(missing_of $packages)
  [ -z "$missing" ] || install $missing
  recent_enough g++ || [ -z "$(missing_of g++-12)" ] || install g++-12
elif has cmake && has ninja; then
  say "there is no apt here, so nothing is installed; configuring will tell what is missing of: $packages"
else
  fail "there is no apt here: install what this system calls $packages, then run this again"
fi

mkdir -p build
if [ -n "${CXX:-}" ] && has "$CXX"; then compiler=$CXX
elif recent_enough g++; then compiler=g++
elif recent_enough g++-12; then compiler=g++-12
else fail "no g++ of version 12 or later"
fi
[ "$(cat build/compiler 2>/dev/null || true)" = "$compiler" ] || printf '%s\n' "$compiler" >build/compiler

# A second compiler, of any version. Without it the tests go on, and so does this: hence the subshell, which may fail.
has_clang() {
  for version in '' -14 -15 -16 -17 -18 -19; do
    if has "clang++$version"; then return 0; fi
  done
  return 1
}
if [ "${1:-}" = python ] && ! has_clang; then
  { has apt-get && (install clang); } || say "no clang: what it makes of the headers (compile_time_clang) is not tested"
fi

if [ "${1:-}" = emulator ]; then
  missing=$(missing_of bochs bochs-term isolinux syslinux-common xorriso cpio)
  [ -z "$missing" ] || install $missing
fi

# The marker is a copy of the requirements, written last: it stands for a venv that is complete and up to date.
if [ "${1:-}" = python ] && ! cmp -s tests/requirements.txt build/venv/requirements.txt; then
  say "making build/venv with: $(tr '\n' ' ' <tests/requirements.txt)"
  rm -rf build/venv
  python=/usr/bin/python3
  [ -x "$python" ] || python=python3
  "$python" -m venv build/venv
  build/venv/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt ||
    fail "pip could not install the Python packages: is there a network?"
  cp tests/requirements.txt build/venv/requirements.txt
fi
