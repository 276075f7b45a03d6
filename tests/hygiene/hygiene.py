"""hygiene.py - what the tests of the source tree share.

A test states facts: fact(name, problems) prints `ok` when the list of problems is empty, and else
`not ok` with each problem on a comment line. The program's exit status tells whether all held.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import sys

ROOT = pathlib.Path(os.environ.get("BOUGH_SOURCE") or pathlib.Path(__file__).parents[2])
BUILD = pathlib.Path(os.environ.get("BOUGH_BUILD") or ROOT / "build/release")
CC = os.environ.get("CC", "cc")

ROOMS = ("core", "supervisor", "actors", "config")
SOURCE_FOLDERS = ROOMS + ("tools", "tests", "docs")

_number = 0
_failed = 0


def fact(name, problems):
    """States that there are no problems."""
    global _number, _failed
    _number += 1
    problems = list(problems)
    print(f"{'not ok' if problems else 'ok'} {_number} - {name}", flush=True)
    for problem in problems:
        for line in str(problem).splitlines():
            print(f"# {line}", flush=True)
    _failed += bool(problems)


def finish():
    """Ends the program."""
    print(f"1..{_number}", flush=True)
    sys.exit(1 if _failed else 0)


def files(*suffixes, root=ROOT, folders=SOURCE_FOLDERS):
    """The files of the tree that end in one of the suffixes, sorted."""
    return sorted(path for folder in folders for path in (root / folder).rglob("*")
                  if path.is_file() and path.suffix in suffixes
                  and "__pycache__" not in path.parts)


def relative(path, root=ROOT):
    """A path as a person of this project writes it."""
    return path.relative_to(root).as_posix()
