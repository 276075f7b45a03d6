#!/usr/bin/env bash
#
# test_system_calls.sh - how many system calls there are between the end of a program and the begin
# of its next life, in its supervisor and in the new process together.
#
# Seen by strace. The limit is a ratchet, as in test_costs.sh. What comes after the program has
# begun costs nobody a wait, and is not counted.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"

# runs COUNT: so many times has the program begun.
runs() {
    [ -e "$work/runs" ] && [ "$(wc -l <"$work/runs")" -ge "$1" ]
}

# ended PID: gone, or a zombie.
ended() {
    [ ! -e "/proc/$1/stat" ] || grep -q ') Z ' "/proc/$1/stat"
}

# trace: two restarts of a program, in $work/trace.
trace() {
    local lives=0 tracer
    printf '#!/bin/sh\necho $$ >>%s/runs\nexec sleep 1000\n' "$work" >"$work/program"
    chmod +x "$work/program"
    strace -f -o "$work/trace" "$BOUGH_BUILD/bin/bough-bench" supervise "$work/program" 1 &
    tracer=$!
    while [ "$lives" -lt 3 ]; do
        lives=$((lives + 1))
        eventually runs "$lives" || break
        kill -KILL "$(tail -n 1 "$work/runs")"
    done
    pkill -KILL -P "$tracer" bough-bench || true
    wait "$tracer" 2>/dev/null || true
    eventually ended "$(tail -n 1 "$work/runs")"
}

# calls NTH: those begun from the NTH end of the program to the execve that follows, this included.
calls() {
    awk -v nth="$1" '/killed by SIGKILL/ && ++ends == nth { counts = 1; next }
        counts && $2 ~ /^[a-z0-9_]+\(/ { count++ }
        counts && $2 ~ /^execve\(/ { print count; exit }' "$work/trace"
}

# restarts LIMIT: whether none of the two has more system calls than that.
restarts() {
    local first second
    [ -e "$work/trace" ] || trace || return 1
    first=$(calls 1)
    second=$(calls 2)
    echo "restart: ${first:-no} and ${second:-no} system calls, at most $1 are allowed"
    [ "${first:-0}" -gt 0 ] && [ "${second:-0}" -gt 0 ] &&
        [ "$first" -le "$1" ] && [ "$second" -le "$1" ]
}

# Where no process may be traced nothing can be counted.
may_trace() {
    command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null
}

too_much_is_found() {
    ! restarts 5
}

if may_trace; then
    fact a_restart_takes_few_system_calls restarts 56
    fact a_count_above_its_limit_is_found too_much_is_found
else
    echo 'ok 1 - a_restart_takes_few_system_calls # SKIP no process may be traced here'
    echo 'ok 2 - a_count_above_its_limit_is_found # SKIP no process may be traced here'
    fact_number=2
fi
facts_end
