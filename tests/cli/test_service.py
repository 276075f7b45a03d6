#!/usr/bin/env python3
"""bough as what the system starts: a service of systemd, and the first process of a container.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import shutil
import socket
import subprocess

from bough_cli import (BOUGH, LIMIT, Skip, child, contains, fact, main, same, signal, until)


def program(name, script, **keys):
    options = {"run": script, "shell": True, **keys.pop("options", {})}
    return child(name, "command", options=options, **keys)


def tree_of(*children, **more):
    return {"name": "svc", "intensity": 3, "period": "60s", "children": list(children), **more}


class Manager:
    """A socket as systemd's: what was said to it, line by line."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.socket.settimeout(LIMIT)
        self.lines = []

    def wait_for(self, line):
        while line not in self.lines:
            self.lines += self.socket.recv(4096).decode().split("\n")


@fact
def a_service_says_that_it_is_up_and_that_it_stops(folder):
    for name in (str(folder.path / "notify"), f"\0bough-test-{os.getpid()}"):
        manager = Manager(name)
        tree = folder.start(tree_of(program("a", "sleep 0.1; echo up; exec sleep 1000",
                                            options={"ready": {"log": "up"}})),
                            env={"NOTIFY_SOCKET": name.replace("\0", "@")})
        manager.wait_for("READY=1")
        assert "STOPPING=1" not in manager.lines
        tree.signal(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        same(tree.wait(), 0)


@fact
def a_service_gives_signs_of_life_when_that_is_wanted(folder):
    manager = Manager(str(folder.path / "notify"))
    folder.start(tree_of(child("a", "counter")),
                 env={"NOTIFY_SOCKET": str(folder.path / "notify"), "WATCHDOG_USEC": "200000"})
    for _ in range(3):
        manager.lines = []
        manager.wait_for("WATCHDOG=1")


@fact
def a_watchdog_of_another_process_is_not_its_own(folder):
    manager = Manager(str(folder.path / "notify"))
    tree = folder.start(tree_of(child("a", "counter")),
                        env={"NOTIFY_SOCKET": str(folder.path / "notify"),
                             "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"})
    manager.wait_for("READY=1")
    tree.signal(signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    assert "WATCHDOG=1" not in manager.lines, manager.lines


@fact
def what_systemd_says_is_not_for_its_children(folder):
    Manager(str(folder.path / "notify"))
    tree = folder.start(tree_of(program("a", "echo \"[$NOTIFY_SOCKET$WATCHDOG_USEC]\"; exec sleep 1000")),
                        env={"NOTIFY_SOCKET": str(folder.path / "notify"),
                             "WATCHDOG_USEC": "10000000"})
    until(lambda: "/a: [] stream=stdout" in tree.said(), "what it has")


@fact
def a_socket_that_is_none_is_told_and_no_harm(folder):
    tree = folder.start(tree_of(child("a", "counter")), env={"NOTIFY_SOCKET": "nowhere"})
    contains(tree.said(), 'NOTIFY_SOCKET "nowhere" is no address')
    folder.bough("shutdown")
    same(tree.wait(), 0)


@fact
def its_exit_code_is_that_of_the_command_it_is_told(folder):
    for script, code in (("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)):
        tree = folder.start(tree_of(
            child("store", "kv"),
            program("main", script, restart="temporary", significant=True),
            exit_with="/main", auto_shutdown="any-significant"), ready=False)
        same(tree.wait(), code, script)


@fact
def signals_go_on_to_that_command(folder):
    tree = folder.start(tree_of(
        program("main", "trap 'echo one' USR1; trap 'exit 9' QUIT; echo up; "
                        "while :; do sleep 0.05; done", restart="temporary", significant=True),
        exit_with="/main", auto_shutdown="any-significant"))
    until(lambda: "/main: up" in tree.said(), "the traps")
    tree.signal(signal.SIGUSR1)
    until(lambda: "/main: one" in tree.said(), "the first signal")
    tree.signal(signal.SIGQUIT)
    same(tree.wait(), 9)


@fact
def exit_with_is_checked(folder):
    for value, said in (("/store", '"exit_with" must name a command, and "/store" is a kv'),
                        ("/man", 'there is no "/man"; did you mean "/main"?')):
        file = folder.write("x.json", tree_of(child("store", "kv"), program("main", "exit 0"),
                                              exit_with=value))
        contains(folder.bough("check", file, code=78).stderr, said, "at /exit_with")


def in_a_container(folder, tree):
    """Starts a tree as the first process of a PID namespace of its own."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        raise Skip("only root has namespaces here")
    words = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        raise Skip("no namespaces are to be had here")
    log = open(folder.path / "container", "wb")
    return subprocess.Popen([*words, BOUGH, "run", folder.write("x.json", tree)], stdout=log,
                            stderr=log, env=folder.env, cwd=folder.path)


def said(folder):
    return (folder.path / "container").read_text(errors="replace")


@fact
def the_first_process_of_a_container_reaps_what_it_gets(folder):
    """Orphans of all kinds; the statuses that somebody waits for are not taken."""
    init = in_a_container(folder, tree_of(
        program("orphans", "for i in 1 2 3 4 5; do (sh -c 'exec sleep 0.2' &); done; echo made; "
                           "exec sleep 1000", restart="temporary"),
        program("brief", "exit 3", restart="transient", backoff={"min": "50ms"}),
        program("zombies", "while :; do sleep 0.1; "
                           "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z 1 ' | sed 's/^/count /'; done"),
        intensity=1000))
    until(lambda: "/orphans: made" in said(folder), "the orphans")
    until(lambda: said(folder).count("/brief ended: exit 3") >= 5, "its ends")
    mark = len(said(folder))
    until(lambda: "count 0" in said(folder)[mark:], "no zombies")
    contains(said(folder), "pid 1,")
    assert "exit 0" not in said(folder) and "lost" not in said(folder), said(folder)
    init.kill()
    init.wait()


@fact
def a_container_ends_as_its_command_does(folder):
    for script, code in (("exit 5", 5), ("kill -TERM $$", 143)):
        init = in_a_container(folder, tree_of(
            program("side", "exec sleep 1000"),
            program("main", script, restart="temporary", significant=True),
            exit_with="/main", auto_shutdown="any-significant"))
        same(init.wait(timeout=LIMIT), code, script)


@fact
def a_container_stops_in_order(folder):
    init = in_a_container(folder, tree_of(
        program("main", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"),
        exit_with="/main"))
    until(lambda: "/main: up" in said(folder), "the trap")
    inner = pathlib.Path(f"/proc/{init.pid}/task/{init.pid}/children").read_text().split()
    os.kill(int(inner[0]), signal.SIGTERM)
    same(init.wait(timeout=LIMIT), 0)
    contains(said(folder), "/main: bye")


if __name__ == "__main__":
    main()
