#!/usr/bin/env python3
"""test_manual.py - the manual page knows every command and option, and says nothing by accident.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(os.environ["BOUGH_SOURCE"])
sys.path.insert(0, str(ROOT / "tests/hygiene"))

from hygiene import fact, finish  # noqa: E402  (the path comes first)

REQUESTS = {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".I", ".nf", ".fi", ".RS", ".RE"}


def say(*words):
    return subprocess.run([os.environ["BOUGH"], *words], capture_output=True, text=True,
                          check=True).stdout


PAGE = say("manual")
VERBS = re.findall(r"^  (\w+) ", say("help"), re.MULTILINE)
PLAIN = PAGE.replace("\\-", "-").replace("\\e", "\\")


def left_out():
    """Commands, and options of each, that the page does not name."""
    for verb in VERBS:
        if f'.SS "bough {verb} ' not in PAGE:
            yield verb
        section = PLAIN.split(f'.SS "bough {verb} ', 1)[-1].split("\n.S", 1)[0]
        for option in re.findall(r"^  (?:-\w,|   ) --([\w-]+)", say("help", verb), re.MULTILINE):
            if option != "help" and f"--{option}\\fR" not in section:
                yield f"{verb} --{option}"


def strange_requests():
    """Lines that begin as a request and are none that the page means."""
    for line in PAGE.splitlines():
        if line[:1] in (".", "'") and line.split()[0] not in REQUESTS:
            yield line


fact("there_are_commands", [] if len(VERBS) > 10 else VERBS)
fact("it_names_every_command_and_option", left_out())
fact("text_is_never_a_request", strange_requests())
finish()
