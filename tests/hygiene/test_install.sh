#!/usr/bin/env bash
#
# test_install.sh - what is installed is whole: a stranger's project builds with it and runs.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"
prefix=$work/prefix

write_consumer() {
    mkdir "$work/consumer"
    cat >"$work/consumer/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(Consumer LANGUAGES C)
find_package(Bough REQUIRED)
foreach(kind bough bough_static)
    add_executable(with_${kind} consumer.c)
    target_link_libraries(with_${kind} PRIVATE Bough::${kind})
endforeach()
END
    cp "$BOUGH_SOURCE/docs/embed.c" "$work/consumer/consumer.c"
}

installs() {
    cmake --install "$BOUGH_BUILD" --prefix "$prefix"
}

configures_and_builds() {
    cmake -G Ninja -S "$work/consumer" -B "$work/consumer/build" -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" &&
        cmake --build "$work/consumer/build"
}

counts() {
    "$@" | tee /dev/stderr | grep -qx 'ok: the count is 42'
}

builds_by_pkg_config() {
    local pc flags
    pc=$(find "$prefix" -name bough.pc -printf '%h')
    flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs bough) || return 1
    # shellcheck disable=SC2086  # the flags are words
    "$CC" "$work/consumer/consumer.c" $flags -lev -o "$work/with_pkg_config"
}

library_directory() {
    find "$prefix" -name 'libbough.so' -printf '%h'
}

holds_no_internal_header() {
    ! find "$prefix" -name '*_internal.h' -print | grep .
}

headers_have_the_same_shape() {
    local header
    [ -f "$prefix/include/bough/core/status.h" ] || return 1
    find "$prefix/include" -type f -printf '%P\n' | while read -r header; do
        [ -f "$BOUGH_SOURCE/${header#bough/}" ] || { echo "$header"; exit 1; }
    done
}

has_data() {
    [ -f "$prefix/share/bough/bough.schema.json" ] &&
        [ -f "$prefix/share/bough/examples/hello.json" ]
}

# Where systemd looks for units of this prefix, with the path of the program in it.
has_a_unit() {
    local unit=$prefix/lib/systemd/system/bough@.service
    grep -qE '^ExecStart=/.*/bough run /etc/bough/%i\.json$' "$unit" || return 1
    command -v systemd-analyze >/dev/null || return 0
    sed "s|^ExecStart=[^ ]*|ExecStart=$prefix/bin/bough|" "$unit" >"$work/bough@.service"
    # A template is asked for by one of its names. The manual is not where man looks for it.
    systemd-analyze verify "$work/bough@x.service" >"$work/said" 2>&1 || true
    ! grep -F 'bough@' "$work/said" | grep -vF "Command 'man "
}

has_pages_and_completions() {
    local name
    for name in man/man1/bough.1 man/man5/bough.json.5 man/man3/libbough.3 \
        bash-completion/completions/bough zsh/site-functions/_bough \
        fish/vendor_completions.d/bough.fish; do
        [ -s "$prefix/share/$name" ] || { echo "$name"; return 1; }
    done
}

fact it_installs_into_a_prefix installs
fact no_internal_header_is_installed holds_no_internal_header
fact installed_headers_have_the_shape_of_the_tree headers_have_the_same_shape
fact the_schema_and_the_examples_are_installed has_data
fact a_unit_for_systemd_is_installed has_a_unit
fact manual_pages_and_completions_are_where_they_are_looked_for has_pages_and_completions
fact the_installed_binary_runs "$prefix/bin/bough" version
write_consumer
fact find_package_finds_it configures_and_builds
fact a_program_runs_with_the_shared_library counts "$work/consumer/build/with_bough"
fact a_program_runs_with_the_static_library counts "$work/consumer/build/with_bough_static"
fact pkg_config_finds_it builds_by_pkg_config
fact a_program_built_by_pkg_config_runs \
    counts env LD_LIBRARY_PATH="$(library_directory)" "$work/with_pkg_config"
facts_end
