#!/usr/bin/env python3
"""test_format.py - every C file is as .clang-format has it.

SPDX-License-Identifier: MIT
"""

import subprocess

from hygiene import ROOT, fact, files, finish, relative


def formatted(text, name):
    """`text` as clang-format writes it."""
    command = ["clang-format", "--style=file", f"--assume-filename={name}"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True,
                          cwd=ROOT).stdout


def problems():
    """The first line of each file that clang-format would write otherwise."""
    for path in files(".c", ".h"):
        text = path.read_text()
        wanted = formatted(text, path)
        if text == wanted:
            continue
        pairs = zip(text.splitlines() + [""], wanted.splitlines() + [""])
        number, have = next((number, have) for number, (have, want) in enumerate(pairs, 1)
                            if have != want)
        yield f"{relative(path)}:{number}: {have.strip()}  (clang-format -i {relative(path)})"


def missed():
    """The problem that a badly written file is left as it is."""
    bad = "int  main( void ){return 0 ;}\n"
    if formatted(bad, ROOT / "core" / "planted.c") == bad:
        yield "clang-format leaves a badly written file as it is"


fact("every_file_is_as_clang_format_has_it", problems())
fact("a_badly_written_file_is_found", missed())
finish()
