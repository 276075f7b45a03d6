#!/usr/bin/env python3
"""test_includes.py - no room includes what it may not know.

SPDX-License-Identifier: MIT
"""

import pathlib
import re
import tempfile

from hygiene import ROOT, fact, files, finish, relative

# Who may include whom; a room may always include itself.
ARROWS = {
    "core": set(),
    "supervisor": {"core"},
    "actors": {"core"},
    "config": {"core", "supervisor"},
    "tools": {"core", "supervisor", "actors", "config"},
}
KNOWS_JSON = {"config", "tools"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def why_forbidden(room, form, name):
    """The reason why a file of `room` may not include `name`, or None."""
    if name == "jansson.h" and room not in KNOWS_JSON:
        return f"{room} does not know JSON"
    if form == '"':
        return "our headers are included as <bough/ROOM/NAME.h>"
    if not name.startswith("bough/"):
        return None
    target = name.split("/")[1]
    if target != room and target not in ARROWS[room]:
        return f"{room} does not know {target}"
    if target != room and name.endswith("_internal.h"):
        return f"it is for {target} alone"
    return None


def problems_in(root):
    """Each forbidden include below `root`, with its place and its reason."""
    for path in files(".c", ".h", root=root, folders=ARROWS):
        room = path.relative_to(root).parts[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            reason = found and why_forbidden(room, *found.groups())
            if reason:
                yield f"{relative(path, root)}:{number}: includes {found[2]}: {reason}"


def missed(room, line):
    """The problem that a forbidden include, planted in a tree of its own, is not found."""
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        (root / room).mkdir()
        (root / room / "planted.c").write_text(f"/* planted */\n{line}\n")
        if not list(problems_in(root)):
            yield f"{room}/planted.c: nothing said about {line}"


fact("no_room_includes_what_it_may_not_know", problems_in(ROOT))
fact("core_including_a_supervisor_is_found",
     missed("core", "#include <bough/supervisor/spec.h>"))
fact("an_actor_including_a_supervisor_is_found",
     missed("actors", "#include <bough/supervisor/spec.h>"))
fact("a_supervisor_including_an_actor_is_found",
     missed("supervisor", "# include <bough/actors/kv.h>"))
fact("config_including_an_actor_is_found", missed("config", "#include <bough/actors/kv.h>"))
fact("config_including_a_tool_is_found", missed("config", "#include <bough/tools/bough/run.h>"))
fact("an_internal_header_of_another_room_is_found",
     missed("tools", "#include <bough/core/slot_internal.h>"))
fact("an_actor_that_knows_json_is_found", missed("actors", "#include <jansson.h>"))
fact("a_header_included_by_a_quoted_name_is_found", missed("core", '#include "slot.h"'))
finish()
