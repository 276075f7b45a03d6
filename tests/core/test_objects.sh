#!/bin/sh
# test_objects.sh - what the core's object code may not contain.
#
# Promise 7: no lock and no atomic read-modify-write. Promise 10: the time of the machine is
# asked for in one place, the clock.
#
# SPDX-License-Identifier: MIT
set -u

library=${BOUGH_BUILD:?}/libbough_core.a
failed=0

report() { # number, fact, what was found that must not be
    if [ -z "$3" ]; then
        echo "ok $1 - $2"
    else
        echo "not ok $1 - $2"
        echo "$3" | sed 's/^/# /'
        failed=1
    fi
}

# The undefined symbols of all objects but clock.c's, one a line.
undefined() {
    nm -A -u "$library" | grep -v '[:/]clock\.c\.o:' | awk '{ print $NF }' | sort -u
}

echo "1..3"

if ! nm "$library" >/dev/null 2>&1; then
    echo "Bail out! cannot read $library"
    exit 1
fi

report 1 "no_object_of_the_core_locks" \
    "$(undefined | grep -E '^(pthread_|sem_|mtx_|futex)')"

case $(uname -m) in
x86_64) atomics='[[:space:]]lock[[:space:]]|[[:space:]]xchg[[:space:]].*\(' ;;
aarch64) atomics='[[:space:]](ldxr|stxr|ldaxr|stlxr|cas[abl]*|swp[abl]*|ldadd[abl]*)[[:space:]]' ;;
*) atomics='__atomic_fetch' ;;
esac
report 2 "no_object_of_the_core_has_an_atomic_operation" \
    "$(objdump -d "$library" | grep -E "$atomics" | head -5)"

report 3 "only_the_clock_asks_the_machine_for_the_time" \
    "$(undefined | grep -E '^(clock_gettime|clock|time|gettimeofday|timespec_get|ev_time|ev_now)$')"

exit $failed
