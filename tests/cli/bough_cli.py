"""bough_cli.py - what the tests of the binary share: trees that run, commands, HTTP, facts.

A test is a function with @fact whose name states one; it gets a fresh folder with a runtime
directory of its own, in which alone trees are looked for: one that the machine runs is not seen.
It fails by any exception. Nothing sleeps: until() looks again until a condition holds, under a limit.

SPDX-License-Identifier: MIT
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

SOURCE = pathlib.Path(os.environ.get("BOUGH_SOURCE") or pathlib.Path(__file__).parents[2])
BOUGH = os.environ.get("BOUGH") or str(SOURCE / "build/release/bin/bough")
LIMIT = 60  # seconds until a condition counts as never

_facts = []


def fact(test):
    """Adds a test."""
    _facts.append(test)
    return test


def main():
    """Runs all tests, those alone whose names contain an argument if there is one."""
    failed = 0
    chosen = [test for test in _facts
              if all(word in test.__name__ for word in sys.argv[1:])]
    for number, test in enumerate(chosen, 1):
        name = test.__name__.replace("_", " ")
        with fresh_folder() as folder:
            try:
                test(folder)
                print(f"ok {number} - {name}", flush=True)
            except Skip as reason:
                print(f"ok {number} - {name} # SKIP {reason}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok {number} - {name}", flush=True)
                for line in traceback.format_exc().splitlines():
                    print(f"# {line}", flush=True)
    print(f"1..{len(chosen)}", flush=True)
    sys.exit(1 if failed or not chosen else 0)


class Folder:
    """Where a test lives: a place for files, and the environment of its commands."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.runtime = self.path / "run"
        self.sockets = self.runtime / "bough"
        self.runtime.mkdir()
        self.trees = []
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith("BOUGH_") and name not in ("NO_COLOR",)}
        self.env["XDG_RUNTIME_DIR"] = str(self.runtime)
        self.env["BOUGH_RUNTIME_DIR"] = str(self.sockets)

    def write(self, name, content):
        """Writes a file, JSON unless it is a text; its path."""
        path = self.path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def bough(self, *words, code=0, env=None, cwd=None, limit=LIMIT, **more):
        """Runs a command and holds it to its exit code; the result has stdout and stderr."""
        done = subprocess.run([BOUGH, *words], capture_output=True, text=True, timeout=limit,
                              env={**self.env, **(env or {})}, cwd=cwd or self.path, **more)
        same(done.returncode, code, f"exit code of {words}: {done.stdout}{done.stderr}")
        return done

    def ask(self, *words, **more):
        """A command's JSON."""
        return json.loads(self.bough(*words, **more).stdout)

    def follow(self):
        """Follows the events into a file until the tree ends: the process, and their list."""
        path = self.path / "followed"
        with open(path, "wb") as out:
            process = subprocess.Popen([BOUGH, "events", "--follow", "--json"], stdout=out,
                                       env=self.env)
        until(lambda: path.stat().st_size > 0, "the first event")

        def events():
            same(process.wait(timeout=LIMIT), 0, "exit code of events --follow")
            return [json.loads(line) for line in path.read_text().splitlines()]

        return events

    def start(self, tree, *words, ready=True, env=None, **more):
        """Runs a tree: a file's name, or the tree itself."""
        if not isinstance(tree, str):
            tree = self.write(f"{tree['name']}.json", tree)
        running = Tree(self, tree, words, env or {}, more)
        self.trees.append(running)
        if ready:
            running.wait_ready()
        return running


class Tree:
    """A `bough run` that belongs to a test."""

    def __init__(self, folder, file, words, env, more):
        self.folder = folder
        self.log = folder.path / f"stderr-{len(folder.trees)}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([BOUGH, "run", *words, file], stdout=log, stderr=log,
                                            env={**folder.env, **env}, cwd=folder.path, **more)
        self.pid = self.process.pid

    def said(self):
        """What it wrote so far."""
        return self.log.read_text(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def socket(self):
        """Its control socket, as it said."""
        for line in self.said().splitlines(keepends=True):
            if ", control socket " in line and line.endswith("\n"):
                return line.rstrip("\n").split(", control socket ")[1]
        return None

    def wait_ready(self):
        until(lambda: not self.alive() or self.socket() is not None, "the tree runs")
        assert self.alive(), f"the tree has ended: {self.said()}"
        until(lambda: any(event["event"] == "ready" and event["path"] == "/"
                          for event in self.events()), "the tree is ready")

    def request(self, method, path, body=None):
        """One HTTP exchange: the code, and the JSON."""
        return request(self.socket(), method, path, body)

    def events(self):
        """All events so far."""
        code, text = exchange(self.socket(), "GET", "/v1/events")
        same(code, 200, text)
        return [json.loads(line) for line in text.splitlines()]

    def wait_event(self, event, path, after=0):
        """Waits for an event of a path; the event."""
        found = []

        def look():
            found[:] = [one for one in self.events()
                        if one["seq"] > after and one["event"] == event and one["path"] == path]
            return bool(found)

        until(look, f"{path} {event}")
        return found[0]

    def wait(self):
        """Its exit code, once it has ended."""
        return self.process.wait(timeout=LIMIT)

    def signal(self, number):
        self.process.send_signal(number)

    def descriptors(self):
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@contextlib.contextmanager
def fresh_folder():
    """A folder that goes with the test, and all trees with it."""
    path = tempfile.mkdtemp(prefix="bough-")
    folder = Folder(path)
    try:
        yield folder
    finally:
        for tree in folder.trees:
            if tree.alive():
                tree.process.kill()
            tree.process.wait()
        shutil.rmtree(path, ignore_errors=True)


class Skip(Exception):
    """Raised by a test that cannot be run here, with the reason."""


def same(got, expected, about=""):
    if got == expected:
        return
    if isinstance(got, str) and isinstance(expected, str):
        differs = len(os.path.commonprefix([got, expected]))
        got, expected = got[max(differs - 40, 0):], expected[max(differs - 40, 0):]
    raise AssertionError(f"{about}: got {got!r:.500}, expected {expected!r:.500}")


def contains(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"


def until(condition, what, limit=LIMIT):
    """Looks again until the condition holds."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.01)


def connect(path):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(LIMIT)
    peer.connect(path)
    return peer


def read_all(peer):
    """Everything until the other side closes."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while True:
            piece = peer.recv(65536)
            if not piece:
                break
            data += piece
    return data


def head_of(method, path, size):
    return (f"{method} {path} HTTP/1.1\r\nHost: bough\r\nConnection: close\r\n"
            f"Content-Length: {size}\r\n\r\n").encode()


def parse_response(data):
    """The code and the body of a response; chunks are joined."""
    head, _, body = data.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        chunks, rest = b"", body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            chunks += rest[:int(size, 16)]
            rest = rest[int(size, 16) + 2:]
        body = chunks
    return int(head.split()[1]), body.decode()


def exchange(path, method, resource, body=None):
    """One exchange over a connection of its own: the code, and the text."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    with connect(path) as peer:
        peer.sendall(head_of(method, resource, len(data)) + data)
        return parse_response(read_all(peer))


def request(path, method, resource, body=None):
    code, text = exchange(path, method, resource, body)
    return code, json.loads(text)


def processes(mark):
    """The command lines of all processes that contain a text."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            status = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if mark in line and status != "Z" and int(folder.name) != os.getpid():
                found.append(line)
    return found


def supervisor(name, children, **more):
    return {"name": name, "type": "supervisor", "children": children, **more}


def child(name, kind, **more):
    return {"name": name, "type": kind, **more}


__all__ = ["BOUGH", "LIMIT", "SOURCE", "Skip", "child", "connect", "contains", "exchange",
           "fact", "head_of", "json", "main", "os", "parse_response", "pathlib", "processes", "read_all",
           "request", "same", "signal", "socket", "subprocess", "supervisor", "until"]
