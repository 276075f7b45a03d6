#!/usr/bin/env bash
#
# test_growth.sh - what an actor of a tree costs, however large the tree is.
#
# Counted by callgrind: a tree is checked by `bough check`; another time it is run, listed by
# `bough status` and shut down, the tree and who lists it each with its own count. Of a tree of
# one, of some, and of ten times as many (of a hundred times as many, 100,000, with BOUGH_TEST_LONG):
# what each further actor takes must be the same, whatever the tree looks like.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"

few=200 many=2000
if [ -n "${BOUGH_TEST_LONG:-}" ]; then few=1000 many=100000; fi

# Trees. Each writes one of about N actors.

siblings() {
    seq -f '{ "name": "c%.0f", "type": "counter" },' "$1"
}

# In supervisors of a hundred each, and no fewer than one.
nested() {
    local rest=$1 i=0
    while [ "$rest" -gt 0 ]; do
        printf '{ "name": "s%d", "type": "supervisor", "children": [\n' $((i++))
        siblings $((rest < 100 ? rest : 100))
        printf '] },\n'
        rest=$((rest - 100))
    done
}

# Each refers to the logger before all.
referring() {
    printf '{ "name": "log", "type": "logger", "options": { "file": "/dev/null" } },\n'
    seq -f '{ "name": "w%.0f", "type": "worker",
        "options": { "run": ["cat"], "logger": "/log" } },' "$1"
}

# Groups of ten.
replicated() {
    seq -f '{ "name": "g%.0f", "type": "counter", "replicas": 10 },' $((($1 + 9) / 10))
}

# A quarter each: a life of all shapes takes less time than a life of each.
mixed() {
    local each=$(($1 / 4))
    referring "$each"
    seq -f '{ "name": "c%.0f", "type": "counter" },' "$each"
    nested "$each"
    replicated "$each"
}

# tree SHAPE N: writes $work/SHAPE-N.json and prints its name.
tree() {
    local file=$work/$1-$2.json
    { printf '{ "name": "t", "children": [\n'; "$1" "$2"; printf '] }\n'; } >"$file"
    echo "$file"
}

# Counts

# counted NAME COMMAND...: runs it; the count is then in $work/NAME.
counted() {
    local name=$1
    shift
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --child-silent-after-fork=yes \
        --log-file="$work/$name.grind" "$BOUGH" "$@"
}

count() {
    awk '/Collected/ { print $4 }' "$work/$1.grind"
}

check() {
    counted check check "$(tree "$1" "$2")" >/dev/null 2>&1
    count check
}

# await_up PID: until the tree is up, or gone; ctest has the limit.
await_up() {
    until grep -q ': t is up: ' "$work/log"; do
        kill -0 "$1" || return 1
        sleep 0.1
    done
}

# live SHAPE N: prints the count of the tree and that of its status; fails when anything does.
live() {
    local tree_pid failed=''
    : >"$work/log"
    counted run run --control "$work/socket" "$(tree "$1" "$2")" >/dev/null 2>>"$work/log" &
    tree_pid=$!
    await_up "$tree_pid" || return 1
    counted status status --control "$work/socket" >"$work/lines" || failed=status
    "$BOUGH" shutdown --control "$work/socket" >/dev/null || kill "$tree_pid"
    wait "$tree_pid" || failed=run
    [ -z "$failed" ] && [ "$(wc -l <"$work/lines")" -ge "$2" ] || return 1
    echo "$(count run) $(count status)"
}

# grows WHAT ONE FEW MANY: an actor of the large tree takes as much as one of the small: a tenth
# more, for a hash table is never even.
grows() {
    local of_few=$(($3 - $2)) of_many=$(($4 - $2))
    echo "$1: $((of_few / few)) each of $few, $((of_many / many)) each of $many"
    [ "$of_few" -gt 0 ] && [ "$of_many" -gt "$of_few" ] && [ "$((of_many * few * 10))" -le "$((of_few * many * 11))" ]
}

# What a tree of one takes is what the program itself takes, so that one shape does for all.
check_is_linear() {
    [ -n "${check_of_one:-}" ] || check_of_one=$(check siblings 1)
    grows "check of $1" "$check_of_one" "$(check "$1" "$few")" "$(check "$1" "$many")"
}

# Who asks for the status waits ten seconds, and a tree that is counted is fifty times slower than
# others: so it is not the largest.
life_is_linear() {
    local one of_few of_many many=$((many < 20000 ? many : 20000))
    one=$(live "$1" 1) && of_few=$(live "$1" "$few") && of_many=$(live "$1" "$many") || return 1
    read -r -a one <<<"$one"
    read -r -a of_few <<<"$of_few"
    read -r -a of_many <<<"$of_many"
    grows "life of $1" "${one[0]}" "${of_few[0]}" "${of_many[0]}" &&
        grows "status of $1" "${one[1]}" "${of_few[1]}" "${of_many[1]}"
}

# Neither is taken for linear, nor is a count that failed.
too_much_is_found() {
    ! grows "too much" 0 "$few" $((many * 12 / 10)) && ! grows nothing 5 $((5 + few)) 0
}

for shape in siblings nested referring replicated; do
    fact "checking_${shape}_costs_the_same_each" check_is_linear "$shape"
done
fact running_and_listing_a_tree_costs_the_same_each life_is_linear mixed
fact growth_is_found too_much_is_found
facts_end
