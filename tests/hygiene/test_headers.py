#!/usr/bin/env python3
"""test_headers.py - every header stands alone, and what users get needs no option of ours.

SPDX-License-Identifier: MIT
"""

import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from hygiene import BUILD, CC, ROOMS, fact, files, finish, relative

STRICT = ["-std=gnu11", "-Wall", "-Wextra", "-Wundef", "-Wstrict-prototypes", "-Werror",
          "-fsyntax-only", f"-I{BUILD}/include"]


def complaint(header, options, tail=""):
    """What the compiler says about a file that includes `header` twice, or None."""
    text = f"#include <bough/{header}>\n#include <bough/{header}>\n{tail}\nint planted;\n"
    result = subprocess.run([CC, *STRICT, *options, "-xc", "-"], input=text,
                            capture_output=True, text=True)
    return result.stderr if result.returncode else None


def complaints(headers, options):
    """Everything the compiler says about those headers."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = pool.map(lambda path: complaint(relative(path), options), headers)
        return [answer for answer in answers if answer]


def is_public(path):
    """Whether users get this header."""
    return path.parts[-2] in ROOMS and not path.name.endswith("_internal.h") \
        and path.name != "forbid.h"


def guard_problems(headers):
    """Headers whose guard does not follow from their path."""
    for path in headers:
        guard = "BOUGH_" + relative(path).upper().translate(str.maketrans("/.-", "___"))
        text = path.read_text()
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            yield f"{relative(path)}: the guard is not {guard}"


def missed():
    """The problem that a header which needs another is not found."""
    with tempfile.TemporaryDirectory() as directory:
        os.makedirs(f"{directory}/bough")
        with open(f"{directory}/bough/planted.h", "w", encoding="utf-8") as planted:
            planted.write("struct planted { uint64_t id; };\n")
        if not complaint("planted.h", [f"-I{directory}"]):
            yield "a header without its includes compiled"


ALL = files(".h")
PUBLIC = [path for path in ALL if is_public(path)]

fact("there_are_headers_to_look_at", [] if PUBLIC else ["no public header found"])
fact("every_public_header_stands_alone", complaints(PUBLIC, []))
fact("every_header_stands_alone_under_our_options",
     complaints(ALL, ["-D_GNU_SOURCE=", "-include", "bough/core/forbid.h"]))
fact("every_guard_follows_from_its_path", guard_problems(ALL))
fact("a_header_that_needs_another_is_found", missed())
finish()
