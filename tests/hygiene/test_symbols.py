#!/usr/bin/env python3
"""test_symbols.py - libbough shows only its own names, and only the marked ones.

SPDX-License-Identifier: MIT
"""

import re
import subprocess

from hygiene import BUILD, ROOMS, fact, files, finish

# What a declaration marked BOUGH_PUBLIC names: the word before its parameters, or its last one.
MARKED = re.compile(r"^BOUGH_PUBLIC\b[^;]*?\b(bough_\w+)(?:\(|\[|;)", re.MULTILINE)


def names(library, *options):
    """The global names that a library defines."""
    result = subprocess.run(["nm", "--defined-only", *options, str(library)],
                            capture_output=True, text=True, check=True)
    words = [line.split() for line in result.stdout.splitlines()]
    return sorted({word[-1] for word in words if len(word) == 3})


def public_text():
    """What the headers that users get say, in one text."""
    return "\n".join(path.read_text() for path in files(".h", folders=ROOMS)
                     if not path.name.endswith("_internal.h"))


shared = names(BUILD / "libbough.so", "--dynamic")
static = names(BUILD / "libbough.a", "--extern-only")
marked = set(MARKED.findall(public_text()))

fact("libbough_exports_something", [] if "bough_status_name" in shared else [shared])
fact("every_exported_name_begins_with_bough",
     [name for name in shared if not name.startswith("bough_")])
fact("every_exported_name_is_marked_in_a_public_header", sorted(set(shared) - marked))
fact("every_name_marked_public_is_exported", sorted(marked - set(shared)))
fact("what_files_share_begins_with_bough",
     [name for name in static if not name.startswith("bough_")])
finish()
