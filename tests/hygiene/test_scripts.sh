#!/usr/bin/env bash
#
# test_scripts.sh - run, test and compare answer what they cannot do.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"
run=$BOUGH_SOURCE/tools/run
suite=$BOUGH_SOURCE/tools/test
compare=$BOUGH_SOURCE/tools/compare

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

compare_without_peers_says_how_to_name_them() {
    ends 2 env -u BOUGH_PEERS "$compare" && grep -q -e '--peers DIR or in BOUGH_PEERS' "$work/err"
}

compare_refuses_repeats_that_are_no_number() {
    ends 2 "$compare" --repeats many && grep -q 'not "many"' "$work/err"
}

compare_refuses_an_option_without_value() {
    ends 2 "$compare" --peers && grep -q -e '--peers needs a value' "$work/err"
}

compare_helps_on_stdout() {
    ends 0 "$compare" --help && grep -q '^usage: ' "$work/out" && [ ! -s "$work/err" ]
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
fact compare_without_peers_says_how_to_name_them compare_without_peers_says_how_to_name_them
fact compare_refuses_repeats_that_are_no_number compare_refuses_repeats_that_are_no_number
fact compare_refuses_an_option_without_value compare_refuses_an_option_without_value
fact compare_helps_on_stdout compare_helps_on_stdout
fact scripts_work_from_elsewhere_and_through_a_link \
    scripts_work_from_elsewhere_and_through_a_link
facts_end
