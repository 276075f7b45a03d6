# common.sh - what tools/run and tools/test share: packages and builds. Sourced, not run.
#
# Sets `root`, the top of the source tree. Callers have `set -euo pipefail` on.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

# What building needs, by Debian's names.
# shellcheck disable=SC2034  # used by the scripts that source this
build_packages=(gcc libc6-dev cmake ninja-build pkg-config libev-dev libjansson-dev
    libmicrohttpd-dev libcurl4-openssl-dev libxxhash-dev uthash-dev libcmocka-dev
    libdw-dev libncurses-dev)

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# Runs a command quietly; shows what it printed only when it fails, and of that not the
# progress.
quietly() {
    local output
    output=$(mktemp)
    if "$@" >"$output" 2>&1; then
        rm -f "$output"
        return 0
    fi
    say "failed: $*"
    grep -vE '^(\[[0-9]+/[0-9]+\]|--) ' "$output" >&2 || true
    rm -f "$output"
    return 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "not root, and there is no sudo; as root, please run: $*"
        return 1
    fi
}

# Prints those of the packages named that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
            grep -qx installed || printf '%s\n' "$package"
    done
}

# Installs what is missing of the packages named, and says so.
install_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        say "not a Debian system: install what is like $* yourself if the build fails"
        return 0
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -eq 0 ] && return 0
    say "installing: ${missing[*]}"
    quietly as_root apt-get -o DPkg::Lock::Timeout=300 update
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get \
        -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"
}

configure_preset() {
    (cd "$root" && cmake --preset "$@")
}

# build_preset PRESET TARGET [cmake option...]: configures when there is something new to say,
# and builds. Two at a time wait for each other.
build_preset() {
    local preset=$1 target=$2 directory=$root/build/$1
    shift 2
    mkdir -p "$directory"
    (
        flock 9
        if [ ! -f "$directory/build.ninja" ] || [ $# -gt 0 ]; then
            quietly configure_preset "$preset" "$@" || exit 1
        fi
        quietly cmake --build "$directory" --target "$target" --parallel "$(nproc)" || exit 1
    ) 9>"$directory/.lock"
}
