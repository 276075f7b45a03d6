#!/usr/bin/env python3
"""A tree whose log goes into a pipe that nobody reads: it goes on, and ends as it is told.

SPDX-License-Identifier: MIT
"""

import contextlib
import os

from bough_cli import BOUGH, LIMIT, child, contains, fact, json, main, same, subprocess, until


@contextlib.contextmanager
def full_pipe():
    """Both ends of a pipe that takes nothing more."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writes, b"." * 4096)
    os.set_blocking(writes, True)
    os.set_blocking(reads, False)
    try:
        yield reads, writes
    finally:
        os.close(reads)
        os.close(writes)


def read_all(reads):
    text = b""
    with contextlib.suppress(BlockingIOError):
        while True:
            text += os.read(reads, 65536)
    return text.replace(b".", b"").decode()


class Unread:
    """A `bough run` that says what it says into such a pipe."""

    def __init__(self, folder, tree, writes):
        self.folder = folder
        file = folder.write(f"{tree['name']}.json", tree)
        self.process = subprocess.Popen([BOUGH, "run", file], stdout=subprocess.DEVNULL,
                                        stderr=writes, env=folder.env, cwd=folder.path)
        folder.trees.append(self)

    def alive(self):
        return self.process.poll() is None

    def place(self, path):
        done = subprocess.run([BOUGH, "status", path, "--json"], env=self.folder.env,
                              capture_output=True, text=True, check=False, timeout=LIMIT)
        return json.loads(done.stdout)[0] if done.returncode == 0 else {}

    def wait_running(self, path, life):
        until(lambda: self.place(path).get("state") == "running" and
              self.place(path)["life"] >= life, f"life {life} of {path}")


def lives_on(folder, tree):
    """Nothing of it waits for who should read."""
    tree.wait_running("/c", 1)
    folder.bough("kill", "/c")
    tree.wait_running("/c", 2)
    same(json.loads(folder.bough("call", "/c", "increment").stdout), {"count": 1})
    folder.bough("shutdown")
    same(tree.process.wait(timeout=LIMIT), 0)


@fact
def without_a_logger_it_goes_on(folder):
    with full_pipe() as (_, writes):
        lives_on(folder, Unread(folder, {"name": "bare", "children": [child("c", "counter")]},
                                writes))


@fact
def with_a_logger_on_stderr_it_goes_on(folder):
    chatter = ["sh", "-c", "while :; do echo a line that is said again and again; done"]
    with full_pipe() as (_, writes):
        lives_on(folder, Unread(folder, {"name": "logged", "log": "/log", "children": [
            child("log", "logger"), child("c", "counter"),
            child("chatter", "command", options={"run": chatter})]}, writes))


@fact
def whoever_reads_again_is_told_what_is_missing(folder):
    with full_pipe() as (reads, writes):
        tree = Unread(folder, {"name": "bare", "children": [child("c", "counter")]}, writes)
        tree.wait_running("/c", 1)
        same(read_all(reads), "")
        folder.bough("kill", "/c")
        tree.wait_running("/c", 2)
        contains(read_all(reads), "could not be written\n", "/c ended")
        folder.bough("shutdown")
        same(tree.process.wait(timeout=LIMIT), 0)


if __name__ == "__main__":
    main()
