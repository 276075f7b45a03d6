#!/usr/bin/env python3
"""Actors in processes of their own: they crash, are killed, lose their nursery and their parent.

SPDX-License-Identifier: MIT
"""

import os
import pathlib

from bough_cli import SOURCE, child, contains, fact, json, main, same, signal, until

EXAMPLE = str(SOURCE / "config/examples/processes.json")


def place(folder, path):
    return folder.ask("status", path, "--json")[0]


def tree_of(**keys):
    return {"name": "risk", "intensity": 100, "period": "60s", "children": [
        child("risky", "faulty", isolation="process", **keys), child("store", "kv")]}


def command(pid):
    """Its name, or None when it is gone; a zombie is gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return None if stat.rsplit(")", 1)[1].split()[0] == "Z" else stat.split("(")[1].rsplit(")")[0]


def children(pid):
    """The processes whose parent it is."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat[1]) == pid:
            found.append(int(entry.name))
    return found


@fact
def each_way_to_break_is_a_restart(folder):
    tree = folder.start(tree_of())
    for life, (how, said) in enumerate((("segv", "SEGV"), ("abort", "ABRT"), ("fpe", "FPE"),
                                        ("stack", "SEGV"), ("exit", "exit 1"),
                                        ("error", "told to fail")), start=1):
        done = folder.bough("call", "/risky", "crash", json.dumps({"how": how}), code=1)
        contains(done.stderr, "crashed", said)
        until(lambda: place(folder, "/risky")["state"] == "running" and
              place(folder, "/risky")["life"] == life + 1, f"the life after {how}")
        same(folder.ask("call", "/risky", "echo", '{"text": "still here"}'),
             {"text": "still here"})
    same(place(folder, "/store")["life"], 1)
    assert tree.alive()


@fact
def a_subtree_in_a_process_breaks_and_comes_back_as_one(folder):
    folder.start({"name": "risk", "intensity": 100, "period": "60s", "children": [
        child("store", "kv"),
        child("jobs", "supervisor", isolation="process", children=[
            child("risky", "faulty"), child("counted", "counter"),
            child("inner", "supervisor", children=[child("deep", "faulty", replicas=2)])])]})
    process = place(folder, "/jobs")["pid"]
    same(command(process), "bough-child")
    same(place(folder, "/jobs/risky")["pid"], None)
    folder.bough("call", "/jobs/counted", "increment")
    done = folder.bough("call", "/jobs/inner/deep", "crash", '{"how": "abort"}', code=1)
    contains(done.stderr, "crashed", "signal ABRT", "ran a message")
    until(lambda: place(folder, "/jobs")["state"] == "running", "the process's next life")
    same(place(folder, "/jobs/counted")["life"], 2)
    same(folder.ask("call", "/jobs/counted", "get_count"), {"count": 0})
    same(folder.ask("call", "/jobs/risky", "echo", '{"text": "there"}'), {"text": "there"})
    contains(folder.bough("why", "/jobs/risky").stdout, "signal ABRT")
    same(place(folder, "/store")["life"], 1)
    folder.bough("kill", "/jobs/risky")
    until(lambda: place(folder, "/jobs/risky")["life"] == 3, "its own next life")
    same(place(folder, "/jobs")["life"], 2)


@fact
def the_example_does_what_its_comment_says(folder):
    tree = folder.start(EXAMPLE)
    contains(folder.bough("status").stdout, "PID", "process")
    shown = place(folder, "/risky")
    same((shown["type"], shown["isolation"]), ("faulty", "process"))
    same(command(shown["pid"]), "bough-child")
    assert shown["memory"] > 0
    folder.bough("call", "/risky", "crash", '{"how": "segv"}', code=1)
    folder.bough("call", "/risky", "echo", '{"text": "still here"}')
    folder.bough("kill", "/risky", "--reason", "signal:KILL")
    until(lambda: place(folder, "/risky")["life"] == 3, "the third life")
    contains(folder.bough("why", "/risky").stdout, "signal KILL")
    same(folder.ask("call", "/presses", "do_work", '{"work_id": "1", "input": "abc"}')["output"], "ABC")
    folder.bough("shutdown")
    same(tree.wait(), 0)


@fact
def what_is_larger_than_the_ring_crosses_too(folder):
    tree = folder.start(tree_of())
    for size in (30000, 33000, 1 << 20):
        text = "0123456789abcdef" * (size // 16)
        code, answer = tree.request("POST", "/v1/actors/risky/call", {
            "message": "echo", "fields": {"text": text}})
        same((code, answer["text"] == text), (200, True), size)


@fact
def any_signal_can_be_sent_and_no_other_reason(folder):
    folder.start(tree_of())
    for life, name in enumerate(("SEGV", "SIGUSR1", "15"), start=2):
        folder.bough("kill", "/risky", "--reason", "signal:" + name)
        until(lambda: place(folder, "/risky")["life"] == life, "the next life")
    contains(folder.bough("kill", "/risky", "--reason", "signal:FOO", code=1).stderr,
             "signal:NAME")
    contains(folder.bough("kill", "/store", "--reason", "signal:SEGV", code=1).stderr,
             "no process of its own")


@fact
def memory_that_it_has_taken_is_given_back_by_its_restart(folder):
    folder.start(tree_of())
    before = place(folder, "/risky")["memory"]
    same(folder.ask("call", "/risky", "leak", '{"size": "40MiB"}'), {"leaked": 40 << 20})
    assert place(folder, "/risky")["memory"] > before + (39 << 20)
    folder.bough("kill", "/risky")
    until(lambda: place(folder, "/risky")["life"] == 2 and place(folder, "/risky")["memory"],
          "the second life")
    assert place(folder, "/risky")["memory"] < before + (20 << 20)


@fact
def nothing_is_left_when_the_parent_is_killed(folder):
    tree = folder.start(EXAMPLE)
    family = children(tree.pid)
    same({command(pid) for pid in family}, {"bough-child", "bough-guard", "bough-nursery"})
    assert len(family) >= 5
    os.kill(tree.pid, signal.SIGKILL)
    tree.wait()
    until(lambda: all(command(pid) is None for pid in family), "the end of all")


@fact
def a_killed_nursery_is_made_again(folder):
    tree = folder.start(tree_of())
    for life in (2, 3):
        nursery = [pid for pid in children(tree.pid) if command(pid) == "bough-nursery"]
        same(len(nursery), 1)
        os.kill(nursery[0], signal.SIGKILL)
        os.kill(place(folder, "/risky")["pid"], signal.SIGKILL)
        until(lambda: place(folder, "/risky")["life"] == life, "the next life")
        same(folder.ask("call", "/risky", "count"), {"count": 1})


@fact
def one_for_all_takes_processes_along(folder):
    folder.start({"name": "all", "strategy": "one-for-all", "intensity": 100, "period": "60s",
                  "children": [child("a", "faulty", isolation="process"),
                               child("b", "counter", isolation="process"),
                               child("c", "kv")]})
    folder.bough("call", "/b", "increment")
    folder.bough("call", "/a", "crash", code=1)
    until(lambda: [one["life"] for one in folder.ask("status", "--json")][1:] == [2, 2, 2] and
          {one["state"] for one in folder.ask("status", "--json")} == {"running"}, "all again")
    same(folder.ask("call", "/b", "get_count"), {"count": 0})


@fact
def the_environment_of_a_process_is_that_of_bough(folder):
    tree = folder.start(tree_of())
    pid = place(folder, "/risky")["pid"]
    files = {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
    assert not any("control" in name or ".sock" in name for name in files), files
    same(os.getpgid(pid), pid)
    folder.bough("shutdown")
    same(tree.wait(), 0)
    same(command(pid), None)


if __name__ == "__main__":
    main()
