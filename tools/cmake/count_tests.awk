# count_tests.awk - counts the TAP lines in what `ctest -V` printed.
#
# ctest puts a test's number before each line about it: first its command and environment, up to
# "12: Test timeout computed to be: 120", then its output ("12: ok 1 - name"). It closes with one
# line per test ("3/40 Test #12: core/test_call .....   Passed    0.02 sec"). Prints the failures
# of the suite with their output, then, last, "PASSED FAILED".
#
# SPDX-License-Identifier: MIT

/^[0-9]+: / {
    number = $1 + 0
    line = substr($0, index($0, ": ") + 2)
    if (!started[number]) {
        started[number] = (line ~ /^Test timeout computed to be: /)
        next
    }
    if (line ~ /^(not )?ok .*# SKIP/) skipped[number]++
    else if (line ~ /^ok( |$)/) good[number]++
    else if (line ~ /^not ok( |$)/) bad[number]++
    if (line !~ /^ok( |$)/) output[number] = output[number] "    " line "\n"
    next
}

/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
    match($0, /#[0-9]+: /)
    number = substr($0, RSTART + 1, RLENGTH - 3) + 0
    rest = substr($0, RSTART + RLENGTH)
    names[number] = rest
    sub(/ .*/, "", names[number])
    sub(/^[^ ]+ \.*/, "", rest)
    sub(/ +[0-9.]+ sec.*/, "", rest)
    gsub(/\*\*\*|^ +| +$/, " ", rest)
    gsub(/^ +| +$/, "", rest)
    verdict[number] = rest
    order[++programs] = number
    next
}

END {
    for (i = 1; i <= programs; i++) {
        number = order[i]
        if (verdict[number] != "Passed" && !bad[number]) bad[number] = 1
        if (!good[number] && !bad[number] && !skipped[number]) {
            bad[number] = 1
            verdict[number] = "ran no test"
        }
        passed += good[number]
        failed += bad[number]
        if (bad[number])
            printf "\n%s: %s: %s\n%s", suite, names[number], verdict[number], output[number]
    }
    if (!programs) {
        printf "\n%s: no test found\n", suite
        failed = 1
    }
    printf "%d %d\n", passed, failed
}
