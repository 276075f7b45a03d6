#!/usr/bin/env bash
#
# test_scripts.sh - the two commands of the first screen answer what they cannot do.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"
run=$BOUGH_SOURCE/tools/run
suite=$BOUGH_SOURCE/tools/test

# ends CODE COMMAND...: whether it ends so; its streams are left in out and err.
ends() {
    local wanted=$1 code=0
    shift
    "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
    cat "$work/out" "$work/err"
    [ "$code" -eq "$wanted" ] || { echo "exit $code, wanted $wanted"; return 1; }
}

run_without_arguments_is_a_usage_error() {
    ends 2 "$run" && grep -q '^usage: ' "$work/err" && [ ! -s "$work/out" ]
}

run_helps_on_stdout() {
    ends 0 "$run" --help && grep -q '^usage: ' "$work/out" && [ ! -s "$work/err" ]
}

test_refuses_an_unknown_suite() {
    ends 2 "$suite" nonsense && grep -q 'unknown argument "nonsense"' "$work/err"
}

test_refuses_a_filter_without_expression() {
    ends 2 "$suite" --filter && grep -q 'needs a regular expression' "$work/err"
}

test_helps_on_stdout() {
    ends 0 "$suite" --help && grep -q '^usage: ' "$work/out"
}

scripts_work_from_elsewhere_and_through_a_link() {
    ln -s "$run" "$work/link"
    cd / && ends 2 "$work/link" && grep -q '^usage: ' "$work/err"
}

fact run_without_arguments_is_a_usage_error run_without_arguments_is_a_usage_error
fact run_helps_on_stdout run_helps_on_stdout
fact test_refuses_an_unknown_suite test_refuses_an_unknown_suite
fact test_refuses_a_filter_without_expression test_refuses_a_filter_without_expression
fact test_helps_on_stdout test_helps_on_stdout
fact scripts_work_from_elsewhere_and_through_a_link \
    scripts_work_from_elsewhere_and_through_a_link
facts_end
