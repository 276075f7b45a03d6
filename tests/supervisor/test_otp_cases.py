#!/usr/bin/env python3
"""test_otp_cases.py - the table of OTP's cases is whole, and each test that it names exists.

SPDX-License-Identifier: MIT
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "hygiene"))
from hygiene import fact, finish  # noqa: E402

CASES = 93  # in supervisor_SUITE.erl
ROW = re.compile(r"^\| (\w+) \| (.+) \|$", re.MULTILINE)
STATED = re.compile(r"\b(?:fact|cmocka_unit_test)\((\w+)\)")


def stated(program):
    """The facts that a test program states."""
    source = HERE / f"{program}.c"
    return set(STATED.findall(source.read_text())) if source.is_file() else set()


def missing(rows):
    """Tests that the table names, and that are not there."""
    for case, where in rows:
        for program in re.findall(r"`(test_\w+)`", where):
            if not where.startswith("no: ") and case not in stated(program):
                yield f"{program}.c states no fact {case}"


def homeless(rows):
    """Rows that name neither a test nor a reason."""
    for case, where in rows:
        if not re.match(r"`test_\w+`|no: \w", where):
            yield f"{case}: {where}"


def repeated(names):
    return {name for name in names if names.count(name) > 1}


rows = [row for row in ROW.findall((HERE / "otp_cases.md").read_text()) if row[0] != "OTP"]
names = [case for case, _ in rows]
tested = [case for case, where in rows if not where.startswith("no: ")]

fact("all_cases_of_the_suite_are_in_the_table",
     [] if len(names) == CASES else [f"{len(names)} rows, and OTP has {CASES} cases"])
fact("each_case_is_there_once", repeated(names))
fact("each_case_names_its_test_or_why_it_has_none", homeless(rows))
fact("each_test_that_is_named_exists", missing(rows))
print(f"# {len(tested)} of {CASES} cases of OTP's supervisor_SUITE are tests here; "
      f"{CASES - len(tested)} are not, and say why")
finish()
