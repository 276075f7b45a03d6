#!/usr/bin/env python3
"""Very many programs under one bough: killed all at once they are all back, again and again, and
nothing is left over. Long: ten thousand.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import resource

from bough_cli import Skip, child, fact, main, same, signal, until

COUNT = 10000 if os.environ.get("BOUGH_TEST_LONG") else 300
LIMIT = 600
KEPT = 10000  # events, and lines of the log, that a tree remembers: until there are so many it grows
LINES = 2  # of the log, of each restart; events are more
WARM = 1 + KEPT // (LINES * COUNT)
ROUNDS = WARM + 2


def programs_of(tree):
    """Those that run already, and are not a process that is about to."""
    pids = pathlib.Path(f"/proc/{tree.pid}/task/{tree.pid}/children").read_text().split()
    return {int(pid) for pid in pids if name_of(pid) == "sleep"}


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def cgroups(tree):
    """How many there are below that of this tree; 0 where there are none."""
    own = [line[3:].strip() for line in open(f"/proc/{tree.pid}/cgroup") if line.startswith("0::")]
    mounts = [line.split()[4] for line in open("/proc/self/mountinfo") if " - cgroup2 " in line]
    if not own or not mounts:
        return 0
    folder = pathlib.Path(mounts[0] + own[0]) / f"bough-{tree.pid}"
    return sum(1 for entry in folder.iterdir() if entry.is_dir()) if folder.exists() else 0


def memory(tree):
    """What is its own, in bytes."""
    for line in open(f"/proc/{tree.pid}/smaps_rollup"):
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) << 10
    return 0


class Ups:
    """How often a program was up, as the log has it, of which only what is new is read."""

    def __init__(self, tree):
        self.log = open(tree.log, "rb")
        self.count, self.rest = 0, b""

    def reach(self, count):
        *lines, self.rest = (self.rest + self.log.read()).split(b"\n")
        self.count += sum(b" is up, life" in line and b" /p/" in line for line in lines)
        return self.count >= count


def kill_all(tree, ups, number):
    """Returns when every one is back."""
    before = programs_of(tree)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: ups.reach((number + 1) * COUNT), "all up again", limit=LIMIT)
    until(lambda: len(programs_of(tree) - before) == COUNT, "all back", limit=LIMIT)
    same(ups.count, (number + 1) * COUNT)


@fact
def all_are_back_and_nothing_is_left_over(folder):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < COUNT + 1000:
        raise Skip("the hard limit of files is too low")
    tree = folder.start({"name": "many", "intensity": 1000000, "period": "1s", "children": [
        child("p", "command", replicas=COUNT, options={
            "run": ["sleep", "1000000"], "stdout": "inherit", "stderr": "inherit"})]}, ready=False)
    ups = Ups(tree)
    until(lambda: ups.reach(COUNT), "all up", limit=LIMIT)
    until(lambda: len(programs_of(tree)) == COUNT, "all", limit=LIMIT)
    descriptors, groups, used = tree.descriptors(), cgroups(tree), []
    for number in range(1, ROUNDS + 1):
        kill_all(tree, ups, number)
        until(lambda: tree.descriptors() == descriptors, "the descriptors of before")
        same(cgroups(tree), groups)
        used.append(memory(tree))
    # What is lost is 32 bytes at the least. The address sanitizer keeps what is freed.
    sanitized = "libasan" in pathlib.Path(f"/proc/{tree.pid}/maps").read_text()
    assert sanitized or used[-1] <= used[WARM] + 64 * 1024 + 16 * COUNT * (ROUNDS - 1 - WARM), used
    folder.bough("shutdown", "--name", "many", limit=LIMIT)
    same(tree.process.wait(timeout=LIMIT), 0)


if __name__ == "__main__":
    main()
