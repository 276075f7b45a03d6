#!/usr/bin/env bash
#
# test_costs.sh - what a message, a call, a start and a restart cost in instructions.
#
# Counted by callgrind, as the difference of two sizes, so that what happens once does not count,
# and the speed of the machine does not either. The user's own code is in the count: the actors
# of bough-bench. A limit is a ratchet: the figure that was reached, and a little room for other
# compilers; who makes it cheaper lowers the limit. Only for optimized builds without sanitizers.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"

# instructions BENCH N [OPTION...]: how many a whole run takes.
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "${@:3}" \
        "$BOUGH_BUILD/bin/bough-bench" "$1" "$2" 2>&1 >/dev/null | awk '/Collected/ { print $4 }'
}

# costs LIMIT BENCH FEW MANY PER [OPTION...]: whether one of PER parts of an operation stays within
# LIMIT; the options are callgrind's.
costs() {
    local few many each
    few=$(instructions "$2" "$3" "${@:6}")
    many=$(instructions "$2" "$4" "${@:6}")
    [ -n "$few" ] && [ -n "$many" ] || return 1
    each=$(((many - few) / (($4 - $3) * $5)))
    echo "$2: $each instructions, at most $1 are allowed"
    [ "$each" -gt 0 ] && [ "$each" -le "$1" ]
}

too_much_is_found() {
    ! costs 10 pingpong/same 100 1100 2
}

# Some 90 of a kv call fetch ahead what its key is about: more instructions, and less time.
# The sizes of restart are of one child and, a thousandth as often, of all of a thousand: half are
# restarts of one, which end with a reason in words. What is measured is sorted afterwards, some 400
# instructions each: only what runs while the loop does counts.
fact a_message_that_wakes_an_actor_is_cheap costs 140 pingpong/same 5000 15000 2
fact a_message_to_a_waiting_mailbox_is_cheap costs 125 fanin/same 5000 15000 2
fact a_call_with_a_deadline_is_cheap costs 410 request/same 5000 15000 1
fact a_kv_call_is_cheap costs 850 kv/same 5000 15000 1
fact a_start_and_its_end_are_cheap costs 1310 spawn/same 5000 15000 1
fact a_restart_is_bounded costs 1910 restart/same 1000 3000 2 --toggle-collect=bench_world_run
fact a_cost_above_its_limit_is_found too_much_is_found
facts_end
