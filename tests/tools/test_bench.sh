#!/usr/bin/env bash
#
# test_bench.sh - bough-bench prints lines that the peers' tables can read, and only those.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"
bench=$BOUGH_BUILD/bin/bough-bench
number='[0-9]+(\.[0-9]+)?'

# prints BENCH VARIANT... [-- MORE]: a small run prints a line for each variant, in order, with
# the members that all lines have and then those that match MORE.
prints() {
    local name=$1 line=0 more='' variants=()
    shift
    while [ $# -gt 0 ]; do
        if [ "$1" = -- ]; then more=$2; break; fi
        variants+=("$1")
        shift
    done
    "$bench" "$name" 1000 >"$work/lines" || return 1
    name=${name%%/*}
    cat "$work/lines"
    [ "$(wc -l <"$work/lines")" -eq "${#variants[@]}" ] || return 1
    for variant in "${variants[@]}"; do
        line=$((line + 1))
        sed -n "${line}p" "$work/lines" | grep -qxE \
            "\{\"peer\":\"ours\",\"bench\":\"$name\",\"variant\":\"$variant\",\"n\":[0-9]+,\
\"seconds\":$number,\"ops_per_s\":$number,\"ns_per_op\":$number$more\}" || return 1
    done
}

# refused ARGUMENT...: status 2, a word on stderr, and no line.
refused() {
    local status=0
    "$bench" "$@" >"$work/lines" 2>"$work/complaint" || status=$?
    [ "$status" -eq 2 ] && [ ! -s "$work/lines" ] && [ -s "$work/complaint" ]
}

# has_programs COUNT: that many children of the supervisor, of which the guard is none.
has_programs() {
    [ "$(pgrep -c -P "$supervisor" '^sleep$')" -eq "$1" ]
}

is_back() {
    has_programs 3 && ! kill -0 "$victim" 2>/dev/null
}

# A program that is killed is back, and none outlives its supervisor.
supervises() {
    local victim left
    printf '#!/bin/sh\nexec sleep 1000\n' >"$work/program"
    chmod +x "$work/program"
    "$bench" supervise "$work/program" 3 &
    supervisor=$!
    eventually has_programs 3 || return 1
    victim=$(pgrep -P "$supervisor" '^sleep$' | head -n 1)
    kill -KILL "$victim"
    eventually is_back || return 1
    left=$(pgrep -P "$supervisor" '^sleep$')
    kill -KILL "$supervisor"
    wait "$supervisor" 2>/dev/null || true
    for victim in $left; do
        eventually ended "$victim" || return 1
    done
}

# ended PID: gone, or a zombie that its new parent has not waited for.
ended() {
    [ ! -e "/proc/$1/stat" ] || grep -q ') Z ' "/proc/$1/stat"
}

helps() {
    "$bench" --help | grep -q '^usage: bough-bench BENCH'
}

latencies=",\"p50_us\":$number,\"p90_us\":$number,\"p99_us\":$number,\"max_us\":$number"
fact pingpong_prints_its_line prints pingpong/same same
fact pingpong_across_threads_prints_its_lines prints pingpong/threads threads threads-asleep \
    threads-asleep-pinned
fact ring_prints_a_line_for_each_size prints ring same-1000 same-100000
fact fanin_prints_a_line_for_each_number_of_threads prints fanin same threads
fact request_prints_its_line prints request same
fact spawn_prints_its_line_with_bytes prints spawn same -- "(,\"bytes_per_actor\":$number)?"
fact restart_prints_lines_with_latencies prints restart same-one same-all1000 -- "$latencies"
fact kv_prints_its_line prints kv same
fact grow_prints_a_line_for_each_size_that_n_reaches prints grow same-1000 shuffled-1000
fact latency_prints_lines_by_both_clocks prints latency same-idle same-idle-cpu \
    same-busy1 same-busy1-cpu same-busy1000 same-busy1000-cpu -- "$latencies"
fact programs_are_kept_running supervises
fact programs_need_a_number refused supervise /bin/true many
fact an_unknown_benchmark_is_refused refused knitting
fact a_count_that_is_no_number_is_refused refused pingpong 12x
fact a_count_of_nothing_is_refused refused pingpong 0
fact no_benchmark_is_refused refused
fact it_says_how_it_is_used helps
facts_end
