#!/usr/bin/env bash
#
# test_footprint.sh - what a supervised program costs its supervisor in memory.
#
# Counted are the bytes that the supervisor and its guard have written to and share with nobody:
# not the pages of libraries, of which it depends on the machine who else has them. The limit is a
# ratchet, as in test_costs.sh. Only for optimized builds without sanitizers.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"

# has_programs COUNT: that many programs run under the supervisor.
has_programs() {
    [ "$(pgrep -c -P "$supervisor" '^sleep$')" -eq "$1" ]
}

# private PID...: bytes that these processes alone have.
private() {
    local pid
    for pid; do cat "/proc/$pid/smaps_rollup"; done |
        awk '/^Private_Dirty/ { sum += $2 } END { print 1024 * sum }'
}

# footprint LIMIT COUNT: whether one of COUNT programs takes no more than LIMIT bytes.
footprint() {
    local each supervisor
    printf '#!/bin/sh\nexec sleep 1000\n' >"$work/program"
    chmod +x "$work/program"
    "$BOUGH_BUILD/bin/bough-bench" supervise "$work/program" "$2" &
    supervisor=$!
    if eventually has_programs "$2"; then
        # The guard is its child, too, of another name.
        # shellcheck disable=SC2046 # as many words as there are processes
        each=$(($(private "$supervisor" $(pgrep -P "$supervisor" guard)) / $2))
    fi
    kill -KILL "$supervisor"
    wait "$supervisor" 2>/dev/null || true
    echo "supervise: ${each:-no} bytes a program, at most $1 are allowed"
    [ "${each:-0}" -gt 0 ] && [ "$each" -le "$1" ]
}

too_much_is_found() {
    ! footprint 100 100
}

# 1,150 when the loop keeps up; what is told of their starts piles up on a busy machine, and
# a pool keeps what it had to take: 1,388 have been seen.
fact a_program_takes_little_memory footprint 1450 1000
fact a_footprint_above_its_limit_is_found too_much_is_found
facts_end
