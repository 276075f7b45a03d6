#!/usr/bin/env python3
"""test_manual.py - the manual pages know every command, option and key, and say nothing by accident.

SPDX-License-Identifier: MIT
"""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(os.environ["BOUGH_SOURCE"])
sys.path.insert(0, str(ROOT / "tests/hygiene"))

from hygiene import fact, finish  # noqa: E402  (the path comes first)

REQUESTS = {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".I", ".nf", ".fi", ".RS", ".RE",
            ".BR", ".br", ".ad"}


def say(*words):
    return subprocess.run([os.environ["BOUGH"], *words], capture_output=True, text=True,
                          check=True).stdout


PAGE = say("manual")
CONFIG = say("manual", "bough.json")
VERBS = re.findall(r"^  (\w+) ", say("help"), re.MULTILINE)


def plain(text):
    """What a reader sees of the escapes."""
    return text.replace("\\-", "-").replace("\\:", "").replace("\\e", "\\")


PLAIN = plain(PAGE)


def left_out():
    """Commands, and options of each, that the page does not name."""
    for verb in VERBS:
        if f'.SS "bough {verb} ' not in PAGE:
            yield verb
        section = PLAIN.split(f'.SS "bough {verb} ', 1)[-1].split("\n.S", 1)[0]
        for option in re.findall(r"^  (?:-\w,|   ) --([\w-]+)", say("help", verb), re.MULTILINE):
            if option != "help" and f"--{option}\\fR" not in section:
                yield f"{verb} --{option}"


def keys_of(schema):
    """All objects of a schema: the keys, and what they say."""
    for name, value in schema.get("properties", {}).items():
        yield name, value
    for part in [*schema.get("properties", {}).values(), *schema.get("anyOf", []),
                 *schema.get("$defs", {}).values()]:
        yield from keys_of(part)
    if "items" in schema:
        yield from keys_of(schema["items"])


def keys_left_out():
    """Keys and options of the schema that bough.json(5) does not tell of in the same words."""
    said = " ".join(plain(CONFIG).split())
    keys = list(keys_of(json.loads(say("schema"))))
    if len(keys) < 100:
        yield f"only {len(keys)} keys in the schema"
    for name, value in keys:
        if f".TP \\fB{name}\\fR: " not in said:
            yield name
        elif " ".join(value.get("description", "").split()) not in said:
            yield f"{name}: {value['description']}"
        elif f'Example: "{name}": ' not in said:
            yield f"{name}: no example"


def defaults_left_out():
    """Keys with a default in the schema, of which the page names another, or none."""
    said = plain(CONFIG)
    for name, value in keys_of(json.loads(say("schema"))):
        default = value.get("default")
        # No time at all is said in words, as is a number with a fraction.
        if default in (None, "0s") or isinstance(default, float):
            continue
        text = str(default).lower() if isinstance(default, bool) else str(default)
        if not re.search(rf"\\fB{re.escape(name)}\\fR: .*, else \"?{re.escape(text)}\"?\n", said):
            yield f"{name}: {text}"


def strange_requests():
    """Lines that begin as a request and are none that the pages mean."""
    for line in (PAGE + CONFIG).splitlines():
        if line[:1] in (".", "'") and line.split()[0] not in REQUESTS:
            yield line


fact("there_are_commands", [] if len(VERBS) > 10 else VERBS)
fact("it_names_every_command_and_option", left_out())
fact("it_names_every_key_with_its_meaning_and_an_example", keys_left_out())
fact("it_names_every_default", defaults_left_out())
fact("text_is_never_a_request", strange_requests())
fact("a_page_that_is_not_there_is_refused",
     [] if subprocess.run([os.environ["BOUGH"], "manual", "tea"], capture_output=True,
                          text=True).stderr.startswith('bough: manual: no page "tea"') else ["it was not"])
finish()
