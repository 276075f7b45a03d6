#!/usr/bin/env python3
"""test_manual.py - libbough(3) names every public function, and no page is written wrongly.

SPDX-License-Identifier: MIT
"""

import re
import shutil
import subprocess

from hygiene import BUILD, ROOMS, ROOT, fact, finish, relative

PAGES = [BUILD / "share" / name for name in ("bough.1", "bough.json.5", "libbough.3")]
DECLARATION = re.compile(r"^(?:BOUGH_PUBLIC|static inline)\b[^;{]*?\b(bough_\w+)\s*(?=[(;\[])",
                         re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
ATTRIBUTE = re.compile(r"__attribute__\(\(.*?\)\)(?!\))", re.DOTALL)


def public_headers():
    """What users get, without what is not an interface."""
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.h"))
            if not path.name.endswith("_internal.h") and path.name != "forbid.h"]


def public_names(text):
    """The functions and values that a header declares for users."""
    return DECLARATION.findall(ATTRIBUTE.sub("", COMMENT.sub("", text)))


def left_out(page):
    """Names in headers that the page does not declare."""
    declared = set(re.findall(r"\b(bough_\w+)(?=[(;\[])", "\n".join(
        line for line in page.splitlines() if line.startswith(".B "))))
    names = [(path, name) for path in public_headers() for name in public_names(path.read_text())]
    if len(names) < 200:
        yield f"only {len(names)} functions were found in the headers"
    for path, name in names:
        if name not in declared:
            yield f"{relative(path)}: {name}"


def headers_left_out(page):
    for path in public_headers():
        if f"<bough/{relative(path)}>" not in page:
            yield relative(path)


def complaints(command, quiet_code):
    """What a program for man pages says about them; it is there in CI."""
    for page in PAGES:
        done = subprocess.run([*command, str(page)], capture_output=True, text=True)
        said = done.stderr if command[0] == "groff" else done.stdout
        if said or done.returncode != quiet_code:
            yield f"{page.name}: {done.returncode} {said[:2000]}"


def fact_by(name, command):
    if shutil.which(command[0]) is None:
        fact(f"{name} # SKIP no {command[0]} here", [])
    else:
        fact(name, complaints(command, 0))


TEXT = (BUILD / "share/libbough.3").read_text()

fact("a_function_is_found", [] if public_names(
    "/* bough_no(); */\nBOUGH_PUBLIC BOUGH_CHECKED int\nbough_a(int b);\n"
    "BOUGH_PUBLIC extern const int bough_b[];\n"
    "BOUGH_PUBLIC void bough_c(int) __attribute__((x(1)));\nvoid bough_no(void);\n"
    "static inline int bough_d(void)\n{\n}\n") == ["bough_a", "bough_b", "bough_c", "bough_d"]
    else ["not these"])
fact("the_page_of_the_library_names_every_public_function", left_out(TEXT))
fact("the_page_of_the_library_names_every_header", headers_left_out(TEXT))
fact_by("mandoc_has_nothing_to_complain_about", ["mandoc", "-T", "lint", "-W", "warning"])
fact_by("groff_has_nothing_to_complain_about", ["groff", "-ww", "-man", "-Tutf8", "-z"])
finish()
