#!/usr/bin/env python3
"""A storm: everything is killed, stopped, restarted, crashed and applied again, in any order.

Whatever happened, the tree is whole when it is over, has no more descriptors than at the beginning,
ends in order, and leaves nobody behind. BOUGH_SEED: another order; BOUGH_TEST_LONG: more of it.

SPDX-License-Identifier: MIT
"""

import contextlib
import random

from bough_cli import (BOUGH, LIMIT, child, fact, json, main, os, pathlib, processes, same, signal,
                       subprocess, supervisor, until)

STEPS = 2500 if os.environ.get("BOUGH_TEST_LONG") else 150
PROCESSES = 6 + 4 + 1 + 2 + 2  # programs, actors, a subtree, spares; the guard and the nursery
BORN = 2  # a pidfd and a socket
MORE, OF_A_SPARE = 15, 4  # spares where many ended together, and the descriptors of one
DEADLY = [signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM]
HOW = ["segv", "abort", "fpe", "exit", "error", "stack"]


def tree(mark, variant):
    """Some of each kind. In another variant one program in three and one actor are others."""
    def program(number):
        seconds = 1000 + (variant if number % 3 == 0 else 0)
        return child(f"c{number}", "command", options={
            "run": ["sh", "-c", f"echo up; sleep {seconds} & wait # {mark}"]})

    return {"name": "storm", "intensity": 100000, "period": "1s", "children": [
        *[program(number) for number in range(6)],
        *[child(f"p{number}", "faulty", isolation="process", redeliver=1 + number,
                spare=number == 0) for number in range(4)],
        *[child(f"t{number}", "kv", isolation="thread") for number in range(2)],
        child("k", "counter"),
        supervisor("g", [child("a", "faulty"), child("b", "counter")], isolation="process",
                   strategy="one-for-all", intensity=100000, period="1s"),
        *([child(f"extra{variant}", "counter")] if variant else [])]}


class Storm:
    """What can be done to a tree."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.mark = folder.path.name
        self.dice = random.Random(seed)
        self.files = [folder.write(f"{variant}.json", tree(self.mark, variant))
                      for variant in range(3)]
        self.file = folder.write("storm.json", tree(self.mark, 0))
        self.running = folder.start(self.file)

    def bough(self, *words):
        """It may be refused, or find nobody; that it comes back is all that is asked."""
        subprocess.run([BOUGH, *words], env=self.folder.env, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=LIMIT, check=False)

    def children(self):
        listed = pathlib.Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children")
        return [int(pid) for pid in listed.read_text().split()]

    def some_process(self):
        return self.dice.choice(self.children() or [0])

    def signal_one(self, *numbers):
        pid = self.some_process()
        with contextlib.suppress(ProcessLookupError):
            for number in numbers if pid else ():
                os.kill(pid, number)

    def kill(self):
        self.signal_one(self.dice.choice(DEADLY))

    def stop_and_continue(self):
        self.signal_one(signal.SIGSTOP, signal.SIGCONT)

    def end(self):
        self.bough("kill", self.dice.choice(["/c3", "/p2", "/k", "/t1", "/g", "/g/b"]),
                   "--reason", self.dice.choice(["killed", "signal:SEGV", "error"]))

    def crash(self):
        self.bough("call", self.dice.choice(["/p0", "/p1", "/p3", "/g/a"]), "crash",
                   json.dumps({"how": self.dice.choice(HOW)}))

    def apply(self):
        self.bough("apply", self.dice.choice(self.files))

    def hang_up(self):
        variant = self.dice.randrange(3)
        pathlib.Path(self.file).write_text(json.dumps(tree(self.mark, variant)))
        self.running.signal(signal.SIGHUP)

    def restart(self):
        self.bough("call", "/", "restart",
                   json.dumps({"child": self.dice.choice(["c1", "p1", "t1", "g"])}))

    def call(self):
        self.bough("call", *self.dice.choice([
            ["/k", "increment"], ["/p1", "echo", '{"text": "a"}'], ["/g/b", "increment"],
            ["/t0", "set", '{"key": "a", "value": "b"}'], ["/p2", "count"]]))

    def look(self):
        self.bough(*self.dice.choice([["status", "--json"], ["why", "/p1"], ["metrics"],
                                      ["quarantine", "/p1", "--put-back"]]))

    def step(self):
        self.dice.choice([self.kill, self.kill, self.kill, self.stop_and_continue, self.end,
                          self.crash, self.apply, self.hang_up, self.restart, self.call,
                          self.look])()
        assert self.running.alive(), self.running.said()[-2000:]

    def is_whole(self):
        return all(actor["state"] == "running" for actor in self.folder.ask("status", "--json"))


@fact
def whatever_happens_the_tree_is_whole_again(folder):
    seed = os.environ.get("BOUGH_SEED") or "1"
    storm = Storm(folder, seed)
    until(lambda: len(storm.children()) == PROCESSES, "all have begun, and spares wait")
    descriptors = storm.running.descriptors()
    for _ in range(STEPS):
        storm.step()
    storm.bough("apply", storm.files[0])
    until(storm.is_whole, f"whole again; the seed was {seed}")
    until(lambda: PROCESSES <= len(storm.children()) <= PROCESSES + MORE,
          f"the spares; the seed was {seed}")
    # At first the one that was born last may not have been received.
    until(lambda: storm.running.descriptors() <= descriptors + BORN + MORE * OF_A_SPARE,
          f"descriptors: {descriptors} at first; the seed was {seed}")
    storm.running.signal(signal.SIGTERM)
    same(storm.running.wait(), 0, storm.running.said()[-2000:])
    until(lambda: not processes(storm.mark), "nobody is left")


if __name__ == "__main__":
    main()
