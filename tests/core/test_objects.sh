#!/usr/bin/env bash
# test_objects.sh - what the core's object code may not contain.
#
# Promise 7: no lock, and an atomic read-modify-write only where large payloads count who holds
# them. Promise 10: the machine is asked for the
# time in one place, the clock.
#
# SPDX-License-Identifier: MIT
set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"

library=$BOUGH_BUILD/libbough_core.a

# Fails when the pattern is found; shows where.
without() { # pattern, file
    ! grep -m 5 -E "$1" "$2"
}

symbols_are_readable() {
    nm -A -u "$library" >"$work/symbols" && grep -q . "$work/symbols" || return 1
    grep -v 'clock\.c\.o:' "$work/symbols" >"$work/others" &&
        ! cmp -s "$work/symbols" "$work/others"
}

code_is_readable() {
    objdump -d "$library" >"$work/code" && grep -q '<bough_send>:' "$work/code"
}

# The code of buffer.c, and that of all others.
split_code() {
    awk -v buffer="$work/buffer" -v others="$work/code-of-others" '
        /file format/ { out = /^buffer\.c\.o:/ ? buffer : others }
        out { print >out }' "$work/code"
}

buffers_count() {
    split_code && grep -q -E "$atomics" "$work/buffer"
}

case $(uname -m) in
x86_64) atomics='\block\b|\bxchg\b.*\(|\bcmpxchg' ;;
aarch64) atomics='\b(ld[a]?xr|st[l]?xr|cas|swp|ldadd)[abl]*\b' ;;
*) atomics='__atomic_(fetch|exchange|compare)' ;;
esac

fact the_symbols_are_readable symbols_are_readable
fact the_code_is_readable code_is_readable
fact no_object_of_the_core_locks \
    without ' U (pthread_(mutex|rwlock|spin|cond)|sem_|mtx_)' "$work/symbols"
fact buffers_count_their_holders buffers_count
fact nothing_else_in_the_core_has_an_atomic_operation without "$atomics" "$work/code-of-others"
fact only_the_clock_asks_the_machine_for_the_time \
    without ' U (clock_gettime|clock|time|gettimeofday|timespec_get|ev_time|ev_now)$' \
    "$work/others"
facts_end
