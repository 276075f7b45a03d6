#!/usr/bin/env python3
"""test_size.py - files and functions stay small enough to be read.

A function's body, as .clang-format lays it out, is what stands between a line `{` and a line `}`
at the margin.

SPDX-License-Identifier: MIT
"""

import re

from hygiene import fact, files, finish, relative

FILE_LINES = 600
FUNCTION_LINES = 70

NAME = re.compile(r"\b(\w+)\(")
ENTRY = re.compile(r"\s*(case\b|default:|return\b|break;|\{ |\[\w+\] = |cmocka_unit_test)")


def functions(text):
    """Yields the name, first line and number of lines of each function."""
    lines = text.splitlines()
    name, start = "?", 0
    for number, line in enumerate(lines, 1):
        if line and not line[0].isspace() and line[0] not in "{}/*#" and NAME.search(line):
            name = NAME.search(line)[1]
        if line == "{":
            start = number
        elif line == "}" and start:
            yield name, start, number - start + 1
            start = 0


def is_plain_list(text, start, length):
    """Whether nearly all of the function is one switch or table, an entry a line."""
    body = text.splitlines()[start:start + length - 2]
    return sum(1 for line in body if ENTRY.match(line)) > 0.7 * len(body)


def tall_functions(path, text):
    """Yields the functions of one file that are too long."""
    for name, start, length in functions(text):
        if length > FUNCTION_LINES and not is_plain_list(text, start, length):
            yield f"{relative(path)}:{start}: {name} has {length} lines"


def long_files(paths):
    """Yields the files that are too long."""
    for path in paths:
        lines = path.read_text().count("\n")
        if lines > FILE_LINES:
            yield f"{relative(path)} has {lines} lines"


def missed():
    """The problem that a long function is not found."""
    text = "int planted(void)\n{\n" + "    work();\n" * FUNCTION_LINES + "}\n"
    if [length for _, _, length in functions(text)] != [FUNCTION_LINES + 2]:
        yield "the lines of a planted function are not counted"


C_FILES = files(".c", ".h")

fact(f"no_file_has_more_than_{FILE_LINES}_lines",
     long_files(files(".c", ".h", ".py", ".sh", ".cmake")))
fact(f"no_function_has_more_than_{FUNCTION_LINES}_lines",
     [tall for path in C_FILES for tall in tall_functions(path, path.read_text())])
fact("a_long_function_is_found", missed())
finish()
