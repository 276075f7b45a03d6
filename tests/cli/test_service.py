#!/usr/bin/env python3
"""bough as a service of systemd, and as what stands for one of its commands.

SPDX-License-Identifier: MIT
"""

import contextlib
import os
import socket

from bough_cli import LIMIT, child, contains, fact, main, same, signal, until


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


def fill(name):
    """A manager's socket takes nothing more."""
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            other.sendto(b"X=1", name)
    other.close()


@fact
def a_manager_that_does_not_read_is_not_waited_for_and_is_told_in_the_end(folder):
    name = str(folder.path / "notify")
    manager = Manager(name)
    fill(name)
    tree = folder.start(tree_of(child("a", "counter")),
                        env={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "2000"})
    folder.bough("kill", "/a")
    until(lambda: folder.ask("status", "/a", "--json")[0]["life"] == 2, "its second life")
    assert "X=1" in manager.socket.recv(4096).decode()
    manager.wait_for("READY=1")
    fill(name)
    tree.signal(signal.SIGTERM)
    same(tree.wait(), 0)


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
def an_end_of_the_command_in_order_does_not_hide_that_the_tree_gave_up(folder):
    tree = folder.start(tree_of(program("main", "exec sleep 1000"),
                                program("side", "exit 1", backoff={"min": "10ms"}),
                                exit_with="/main"), ready=False)
    same(tree.wait(), 70)


@fact
def the_exit_code_of_a_life_that_was_followed_by_another_is_not_the_last(folder):
    tree = folder.start(tree_of(
        program("main", "[ -e was ] || { touch was; exit 3; }; trap '' TERM; echo again; "
                        "while :; do sleep 0.05; done", shutdown="infinity"),
        exit_with="/main"))
    until(lambda: "/main: again" in tree.said(), "its second life")
    tree.signal(signal.SIGTERM)
    tree.wait_event("stopping", "/main")
    tree.signal(signal.SIGTERM)
    same(tree.wait(), 1)


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


if __name__ == "__main__":
    main()
