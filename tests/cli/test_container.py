#!/usr/bin/env python3
"""bough as the first process of a container: it reaps, it stops in order, it leaves nothing.

Each test has a PID namespace of its own; where those are not to be had, all are skipped.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import shutil
import subprocess

from bough_cli import (BOUGH, LIMIT, Skip, child, contains, fact, main, processes, same, signal, until)

NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def program(name, script, **keys):
    options = {"run": script, "shell": True, **keys.pop("options", {})}
    return child(name, "command", options=options, **keys)


def tree_of(*children, **more):
    return {"name": "box", "intensity": 1000, "period": "60s", "children": list(children), **more}


def polite(name, code=0):
    """One that says that it goes, and goes."""
    return program(name, f"trap 'echo {name} goes; exit {code}' TERM; echo up; "
                         "while :; do sleep 0.05; done", options={"ready": {"log": "up"}})


def stubborn(name, mark):
    """One that does not go, and has started others, one of them in a session of its own."""
    return program(name, f"trap '' TERM INT; sleep {mark} & (setsid sh -c 'trap \"\" TERM; "
                         f"sleep {mark}; :' &); echo up; while :; do sleep 0.05; done",
                   shutdown="infinity", options={"ready": {"log": "up"}})


class Container:
    """A tree whose bough is process 1, and is known to the outside by another number."""

    def __init__(self, folder, tree):
        if shutil.which("unshare") is None:
            raise Skip("there is no unshare")
        tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            raise Skip(f"no PID namespace is to be had: {tried.stderr.strip()}")
        self.log = folder.path / f"{tree['name']}.log"
        with open(self.log, "wb") as log:
            self.outer = subprocess.Popen(
                [*NAMESPACE, BOUGH, "run", folder.write(f"{tree['name']}.json", tree)],
                stdout=log, stderr=log, env=folder.env, cwd=folder.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.outer.kill()
        self.outer.wait()

    def said(self):
        return self.log.read_text(errors="replace")

    def wait_up(self):
        until(lambda: ": box is up: " in self.said() or self.outer.poll() is not None, "it is up")
        contains(self.said(), "pid 1,", ": box is up: ")
        return self

    def init(self):
        """The number of its bough, outside."""
        children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")
        return int(children.read_text().split()[0])

    def signal(self, *numbers):
        for number in numbers:
            os.kill(self.init(), number)

    def wait(self):
        return self.outer.wait(timeout=LIMIT)


def zombies_of(pid):
    """Children of a process that have ended and are not reaped."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(parent) == pid:
            found.append(stat.parent.name)
    return found


@fact
def the_first_process_of_a_container_reaps_what_it_gets(folder):
    """Orphans of all kinds; the statuses that somebody waits for are not taken."""
    with Container(folder, tree_of(
            program("orphans", "for i in 1 2 3 4 5; do (sh -c 'exec sleep 0.2' &); done; echo made; "
                               "exec sleep 1000", restart="temporary"),
            program("brief", "exit 3", restart="transient", backoff={"min": "50ms"}))) as box:
        until(lambda: "/orphans: made" in box.said(), "the orphans")
        until(lambda: box.said().count("/brief ended: exit 3") >= 5, "its ends")
        until(lambda: not zombies_of(box.init()), "no zombies")
        contains(box.said(), "pid 1,")
        assert "exit 0" not in box.said() and "lost" not in box.said(), box.said()


@fact
def orphans_of_who_came_in_later_are_reaped(folder):
    """As those of `docker exec`."""
    mark = f"0.1000{os.getpid()}"
    with Container(folder, tree_of(child("a", "counter"))) as box:
        init = box.wait_up().init()
        subprocess.run(["nsenter", f"--target={init}", "--pid", "sh", "-c",
                        f"for i in 1 2 3; do (exec sleep {mark} &); done"], check=True)
        until(lambda: not processes(mark), "they end")
        until(lambda: not zombies_of(init), "no zombies")
        assert box.outer.poll() is None, box.said()


@fact
def a_container_ends_as_its_command_does(folder):
    for script, code in (("exit 0", 0), ("exit 5", 5), ("kill -TERM $$", 143), ("kill -SEGV $$", 139)):
        with Container(folder, tree_of(
                program("side", "exec sleep 1000"),
                program("main", script, restart="temporary", significant=True),
                exit_with="/main", auto_shutdown="any-significant")) as box:
            same(box.wait(), code, script)


@fact
def a_container_stops_in_order(folder):
    for number in (signal.SIGTERM, signal.SIGINT):
        with Container(folder, tree_of(polite("a"), polite("b"), polite("c"))) as box:
            box.wait_up().signal(number)
            same(box.wait(), 0, number)
            went = [line.split()[3] for line in box.said().splitlines() if " goes " in line]
            same(went, ["c", "b", "a"], number)


@fact
def a_container_that_is_stopped_has_the_exit_code_of_its_command(folder):
    """The command that its signal ends has ended as it was told: 0."""
    for main_, code in ((polite("main"), 0), (polite("main", code=9), 9),
                        (program("main", "exec sleep 1000"), 0),
                        (program("main", "trap '' TERM; echo up; while :; do sleep 0.05; done",
                                 shutdown="300ms", options={"ready": {"log": "up"}}), 137)):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Container(folder, tree_of(polite("side"), main_, exit_with="/main")) as box:
                box.wait_up().signal(number)
                same(box.wait(), code, main_)
                contains(box.said(), "/side: side goes")


@fact
def a_container_that_is_still_starting_stops_too(folder):
    with Container(folder, tree_of(polite("a"), program("never", "exec sleep 1000",
                                                        options={"ready": {"log": "up"}}))) as box:
        until(lambda: "/a is up" in box.said(), "the first")
        box.signal(signal.SIGTERM)
        same(box.wait(), 0)
        contains(box.said(), "/a: a goes")


def holds(box, number):
    """Whether a signal to its bough waits until there is somebody for it; False: too late to say."""
    mask = 1 << (number - 1)
    while box.outer.poll() is None:
        try:
            folder = pathlib.Path(f"/proc/{box.init()}")
            if os.readlink(folder / "exe") != os.path.realpath(BOUGH):
                continue  # it is still unshare, which holds them back, too
            status = (folder / "status").read_text()
        except (IndexError, OSError):
            continue
        if int(status.split("SigBlk:")[1].split()[0], 16) & mask:
            return True
        if int(status.split("SigCgt:")[1].split()[0], 16) & mask:
            return False
    return False


@fact
def a_container_is_stopped_while_it_reads_its_file(folder):
    """One that takes a while; what was not seen in time is tried again."""
    tree = tree_of(*[child(f"c{i}", "counter") for i in range(10000)])
    for number in (signal.SIGTERM, signal.SIGINT):
        for tries in range(20):
            with Container(folder, tree) as box:
                if not holds(box, number):
                    continue
                box.signal(number)
                same(box.wait(), 0, box.said())
                break
        else:
            raise AssertionError("never seen to hold back a signal")


@fact
def signals_go_on_to_the_command_of_a_container(folder):
    with Container(folder, tree_of(
            program("main", "trap 'echo one' USR1; trap 'exit 9' QUIT; echo up; "
                            "while :; do sleep 0.05; done", restart="temporary", significant=True,
                    options={"ready": {"log": "up"}}),
            exit_with="/main", auto_shutdown="any-significant")) as box:
        box.wait_up().signal(signal.SIGUSR1)
        until(lambda: "/main: one" in box.said(), "the first signal")
        box.signal(signal.SIGQUIT)
        same(box.wait(), 9)


@fact
def the_second_signal_ends_a_container_at_once(folder):
    for numbers in ((signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)):
        mark = f"100{os.getpid()}"
        with Container(folder, tree_of(polite("first"), stubborn("main", mark), exit_with="/main")) as box:
            box.wait_up().signal(numbers[0])
            folder.bough("status", "/main")  # goes round the loop: the first is not taken for the second
            until(lambda: "stopping" in folder.bough("status", "/main").stdout, "it is to end")
            box.signal(numbers[1])
            same(box.wait(), 1, numbers)
            contains(box.said(), "box: stopped at once, not in order")
            same(processes(mark), [], "of what it had started")


@fact
def containers_do_not_end_each_others_programs(folder):
    """They may see the same cgroups, and the bough of each is process 1."""
    tree = tree_of(program("main", "echo up; exec sleep 1000", restart="temporary"))
    with Container(folder, tree) as one:
        one.wait_up()
        for _ in range(3):
            with Container(folder, {**tree, "name": "other"}) as other:
                until(lambda: "/main: up" in other.said(), "its program")
                other.signal(signal.SIGKILL)
                other.wait()
        assert "/main ended" not in one.said(), one.said()


@fact
def nothing_of_a_container_survives_a_kill_of_its_bough(folder):
    mark = f"100{os.getpid()}"
    with Container(folder, tree_of(stubborn("main", mark), child("apart", "faulty", isolation="process"),
                                   exit_with="/main")) as box:
        init = box.wait_up().init()
        within = os.readlink(f"/proc/{init}/ns/pid")
        until(lambda: len(processes(f"sleep {mark}")) >= 3, "what it starts")
        box.signal(signal.SIGKILL)
        assert box.wait() != 0
        until(lambda: not processes(f"sleep {mark}") and not of_namespace(within), "nothing")


def of_namespace(within):
    """Processes in a PID namespace."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "ns/pid") == within:
                found.append(folder.name)
        except OSError:
            continue
    return found


if __name__ == "__main__":
    main()
