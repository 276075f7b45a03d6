# fact.sh - what the shell tests share. Sourced, not run.
#
# fact NAME COMMAND... states that the command succeeds; what it printed is shown when it does
# not. facts_end closes the list and exits. `work` is a directory of the test's own, gone at its end.
# eventually COMMAND... runs a command again until it succeeds, for a minute.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fact_number=0
fact_failed=0

fact() {
    local name=$1
    shift
    fact_number=$((fact_number + 1))
    if "$@" >"$work/output" 2>&1; then
        printf 'ok %d - %s\n' "$fact_number" "$name"
    else
        printf 'not ok %d - %s\n' "$fact_number" "$name"
        sed 's/^/# /' "$work/output"
        fact_failed=1
    fi
}

eventually() {
    local tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 3000 ] || return 1
        sleep 0.02
    done
}

facts_end() {
    printf '1..%d\n' "$fact_number"
    exit "$fact_failed"
}
