#!/usr/bin/env python3
"""test_readme.py - the code in README.md is code that is built, and its trees are right.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(os.environ["BOUGH_SOURCE"])
sys.path.insert(0, str(ROOT / "tests/hygiene"))

from hygiene import fact, files, finish  # noqa: E402  (the path comes first)

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

README = (ROOT / "README.md").read_text()
BLOCKS = BLOCK.findall(README)


def strange_code():
    """Blocks of C that stand in no source file, which nobody would notice breaking."""
    sources = [path.read_text() for path in files(".c", ".h")]
    for language, text in BLOCKS:
        if language == "c" and not any(text.strip() in source for source in sources):
            yield "not found in any source file:\n" + text


def wrong_trees():
    """Blocks of JSON with children that `bough check` does not like."""
    with tempfile.TemporaryDirectory() as directory:
        for language, text in BLOCKS:
            if language not in ("json", "jsonc") or '"children"' not in text:
                continue
            path = pathlib.Path(directory) / "readme.json"
            path.write_text(text)
            answer = subprocess.run([os.environ["BOUGH"], "check", str(path)],
                                    capture_output=True, text=True)
            if answer.returncode:
                yield answer.stdout + answer.stderr


def missing_files():
    """Paths of the tree that README.md names in `code` and that do not exist."""
    for name in sorted(set(re.findall(r"`((?:core|supervisor|actors|config|tools|tests|docs)"
                                      r"/[\w./-]*)`", README))):
        if not (ROOT / name).exists():
            yield name


COMMAND = re.compile(r"^    \$ bough ((?:simulate|check) (?:.*\\\n)*.*)\n((?:(?:    .*)?\n)*)", re.MULTILINE)


def stale_pictures():
    """What the README shows of check and simulate, and they do not print. `...` ends a picture."""
    for command, shown in COMMAND.findall(README):
        words = shlex.split(command.replace("\\\n", " "))
        answer = subprocess.run([os.environ["BOUGH"], *words], capture_output=True, text=True,
                                cwd=ROOT)
        printed = answer.stdout.splitlines()
        for number, line in enumerate(textwrap.dedent(shown).rstrip().splitlines()):
            if line.strip() == "..." or line.startswith("$ "):
                break
            if number >= len(printed) or line.rstrip() != printed[number].rstrip():
                yield f"bough {command}: {line!r} is not printed as line {number + 1}"
                break


fact("its_pictures_of_check_and_simulate_are_what_they_print", stale_pictures())
fact("its_c_is_built_by_the_tests", strange_code())
fact("its_trees_pass_check", wrong_trees())
fact("the_files_that_it_names_exist", missing_files())
fact("its_first_screen_has_the_two_commands",
     [command for command in ("./tools/run config/examples/shop.json", "./tools/test")
      if command not in "\n".join(README.splitlines()[:40])])
finish()
