#!/usr/bin/env python3
"""test_readme.py - the code in README.md is code that is built, and its trees are right.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

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


fact("its_c_is_built_by_the_tests", strange_code())
fact("its_trees_pass_check", wrong_trees())
fact("the_files_that_it_names_exist", missing_files())
fact("its_first_screen_has_the_two_commands",
     [command for command in ("./tools/run config/examples/shop.json", "./tools/test")
      if command not in "\n".join(README.splitlines()[:40])])
finish()
