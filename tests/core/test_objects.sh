#!/usr/bin/env bash
# test_objects.sh - what the core's object code may not contain.
#
# Promise 7: no lock and no atomic read-modify-write on the way of a message of one loop: the
# objects it goes through have none at all. Those that lead to other loops, make and show places,
# or end loops are named here. Promise 10: the machine is asked for the time in one place, the
# clock.
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

# One loop's: all but these; latency is on the way only of calls that are measured, for who asked for it;
# lines of log, of which any thread may write some, are on nobody's.
shared='parcel|room|sleep|thread|runtime|place|place_new|loop_ev|loop_end|buffer|latency|log|stderr'

code_is_readable() {
    objdump -d "$library" >"$work/all" && grep -q '<bough_send_words>:' "$work/all" || return 1
    awk -v shared="^($shared)[.]c[.]o:" '/file format/ { mine = $1 !~ shared } mine' \
        "$work/all" >"$work/code"
    grep -q '<bough_send_words>:' "$work/code" && ! cmp -s "$work/all" "$work/code"
}

locks_are_where_they_are_said_to_be() {
    grep -vE ":($shared)[.]c[.]o:" "$work/symbols" >"$work/own"
    without ' U (pthread_(mutex|rwlock|spin|cond)|sem_|mtx_)' "$work/own"
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
fact no_object_of_one_loop_locks locks_are_where_they_are_said_to_be
fact no_object_of_one_loop_has_an_atomic_operation without "$atomics" "$work/code"
fact only_the_clock_asks_the_machine_for_the_time \
    without ' U (clock_gettime|clock|time|gettimeofday|timespec_get|ev_time|ev_now)$' \
    "$work/others"
facts_end
