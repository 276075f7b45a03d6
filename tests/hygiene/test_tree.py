#!/usr/bin/env python3
"""test_tree.py - the tree holds what the layout says, and every file says what it is.

SPDX-License-Identifier: MIT
"""

import os
import re
import subprocess

from hygiene import ROOT, fact, files, finish, relative

AT_THE_ROOT = {
    "README.md", "CMakeLists.txt", "CMakePresets.json", "LICENSE", "CHANGELOG.md",
    "core", "supervisor", "actors", "config", "tools", "tests", "docs",
}
MADE_BY_BUILDING = {"build", "compile_commands.json"}

UNFINISHED = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK")) + r")\b")

SCRIPTS = [ROOT / "tools/run", ROOT / "tools/test", ROOT / "tools/compare", ROOT / ".ci/run"]


def strangers():
    """What lies at the root and does not belong there."""
    for entry in sorted(os.listdir(ROOT)):
        if entry not in AT_THE_ROOT | MADE_BY_BUILDING and not entry.startswith("."):
            yield entry


def without_head(paths):
    """C files that do not open with `/* name - a sentence`, or name no licence."""
    for path in paths:
        text = path.read_text()
        if path.suffix in (".c", ".h") and not text.startswith(f"/* {path.name} - "):
            yield f"{relative(path)}: does not open with /* {path.name} - ..."
        if "SPDX-License-Identifier: MIT" not in text[:3000]:
            yield f"{relative(path)}: no SPDX-License-Identifier"


def matches(paths, pattern):
    """The lines that match."""
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if pattern.search(line):
                yield f"{relative(path)}:{number}: {line.strip()}"


def shell_scripts():
    """Every shell script of the tree."""
    return [path for path in SCRIPTS if path.exists()] + files(".sh")


def shellcheck():
    """What shellcheck has to say."""
    command = ["shellcheck", *map(str, shell_scripts())]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return [result.stdout + result.stderr] if result.returncode else []


def not_executable():
    """Scripts that cannot be run as they are."""
    tests = [path for path in files(".sh", ".py", folders=["tests"])
             if path.name.startswith("test_")]
    for path in tests + [path for path in SCRIPTS if path.exists()]:
        if not os.access(path, os.X_OK):
            yield f"{relative(path)} is not executable"


SOURCES = files(".c", ".h", ".py", ".sh", ".cmake", ".awk")

fact("nothing_strange_lies_at_the_root", strangers())
fact("every_source_opens_with_its_name_and_its_licence", without_head(SOURCES))
fact("nothing_calls_itself_unfinished", matches(SOURCES, UNFINISHED))
fact("every_script_is_executable", not_executable())
fact("shellcheck_finds_nothing", shellcheck())
finish()
