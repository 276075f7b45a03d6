#!/usr/bin/env bash
#
# test_count.sh - tools/test counts test cases, and nothing that went wrong gets lost in it.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"

# What ctest -V prints about test 1, whose output is on standard input; $1 is its verdict.
ctest_says() {
    printf 'test 1\n    Start 1: core/test_call\n\n1: Test command: /build/test_call\n'
    printf '1: Environment variables: \n1:  BOUGH=ok\n1: Test timeout computed to be: 120\n'
    sed 's/^/1: /'
    printf '1/1 Test #1: core/test_call .........%s  0.01 sec\n' "$1"
}

# counts WANTED: whether the counter, reading ctest's text, ends with the line WANTED.
counts() {
    local got
    got=$(awk -v suite=plain -f "$BOUGH_SOURCE/tools/cmake/count_tests.awk" | tail -n 1)
    [ "$got" = "$1" ] || { echo "got \"$got\", wanted \"$1\""; return 1; }
}

each_line_counts() {
    printf 'ok 1 - a\nnot ok 2 - b\nok 3 - c\n' | ctest_says '***Failed' | counts '2 1'
}

a_crash_counts_once() {
    printf 'ok 1 - a\n' | ctest_says 'Subprocess aborted***Exception:' | counts '1 1'
}

a_timeout_counts_once() {
    printf '1..2\n' | ctest_says '***Timeout' | counts '0 1'
}

a_bad_end_after_good_tests_counts_once() {
    printf 'ok 1 - a\nok 2 - b\n# leak\n' | ctest_says '***Failed' | counts '2 1'
}

a_failure_and_its_bad_end_count_once() {
    printf 'not ok 1 - a\n' | ctest_says '***Failed' | counts '0 1'
}

a_program_without_tests_fails() {
    printf 'hello\n' | ctest_says 'Passed' | counts '0 1'
}

a_skipped_test_counts_as_nothing() {
    printf 'not ok 1 # SKIP a\nok 2 - b\n' | ctest_says 'Passed' | counts '1 0'
}

no_program_at_all_fails() {
    printf 'No tests were found!!!\n' | counts '0 1'
}

fact each_line_counts each_line_counts
fact a_crash_counts_once a_crash_counts_once
fact a_timeout_counts_once a_timeout_counts_once
fact a_bad_end_after_good_tests_counts_once a_bad_end_after_good_tests_counts_once
fact a_failure_and_its_bad_end_count_once a_failure_and_its_bad_end_count_once
fact a_program_without_tests_fails a_program_without_tests_fails
fact a_skipped_test_counts_as_nothing a_skipped_test_counts_as_nothing
fact no_program_at_all_fails no_program_at_all_fails
facts_end
