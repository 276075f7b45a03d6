#!/usr/bin/env python3
"""How a tree ends: it gives up, cannot start, is stopped at once, or is killed.

SPDX-License-Identifier: MIT
"""

from bough_cli import (child, contains, fact, json, main, os, processes, same, signal,
                       subprocess, supervisor, until, BOUGH)


def kill_life(folder, path, life):
    """Kills a life of a path as soon as it runs; False when the tree has gone."""
    def look():
        done = subprocess.run([BOUGH, "status", path, "--json"], env=folder.env,
                              capture_output=True, text=True)
        if done.returncode != 0:
            return True
        place = json.loads(done.stdout)[0]
        return place["life"] >= life and place["state"] == "running"

    until(look, f"life {life} of {path}")
    subprocess.run([BOUGH, "kill", path], env=folder.env, capture_output=True)


@fact
def killing_a_child_over_and_over_makes_the_tree_give_up(folder):
    tree = folder.start({"name": "fragile", "intensity": 2, "period": "60s", "children": [
        child("first", "counter"), child("second", "kv"), child("last", "counter")]})
    followed = folder.follow()
    for life in (1, 2, 3):
        kill_life(folder, "/second", life)
    same(tree.wait(), 70)
    events = followed()
    ends = [(event["event"], event["path"]) for event in events
            if event["event"] in ("exited", "restarting", "gave_up")]
    same(ends, [("exited", "/second"), ("restarting", "/second"),
                ("exited", "/second"), ("restarting", "/second"),
                ("exited", "/second"), ("gave_up", "/"),
                ("exited", "/last"), ("exited", "/first"), ("exited", "/")])
    contains(tree.said(), "gave up")


@fact
def a_nested_supervisor_that_gives_up_is_restarted_by_its_parent(folder):
    tree = folder.start({"name": "nested", "intensity": 1, "period": "60s", "children": [
        supervisor("inner", [child("c", "counter")], intensity=0)]})
    last = tree.events()[-1]["seq"]
    folder.bough("kill", "/inner/c")
    same(tree.wait_event("gave_up", "/inner", last)["type"], "supervisor")
    same(tree.wait_event("ready", "/inner", last)["life"], 2)
    assert tree.alive()
    last = tree.events()[-1]["seq"]
    folder.bough("kill", "/inner/c")
    same(tree.wait(), 70)


@fact
def a_child_that_cannot_start_ends_the_run_with_69(folder):
    (folder.path / "folder").mkdir()
    tree = folder.start({"name": "bad", "children": [
        child("first", "counter"),
        child("log", "logger", options={"file": "folder"})]}, ready=False)
    same(tree.wait(), 69)
    contains(tree.said(), "bough: bad: could not start: ", "/log")
    same(list(folder.sockets.iterdir()), [])


@fact
def a_wrong_file_ends_the_run_with_78(folder):
    wrong = folder.start({"name": "wrong", "children": [child("c", "countr")]}, ready=False)
    same(wrong.wait(), 78)
    contains(wrong.said(), 'wrong.json:1:', 'error: unknown type "countr"', '"counter"')
    missing = folder.start(str(folder.path / "missing.json"), ready=False)
    same(missing.wait(), 78)


@fact
def a_tree_that_is_killed_whole_ends_the_run_with_1(folder):
    tree = folder.start({"name": "whole", "children": [child("c", "counter")]})
    folder.bough("kill", "/", "--reason", "kill")
    same(tree.wait(), 1)
    contains(tree.said(), "bough: whole: ended: killed")


def sleeper(folder, **more):
    """A tree whose worker runs a program for ever, and a mark that finds the program."""
    mark = f"31536000.{os.getpid()}"
    tree = folder.start({"name": "sleeper", "children": [
        child("w", "worker", options={"run": ["sleep", mark], "timeout": "infinity"}, **more)]})
    folder.bough("send", "/w", "do_work", '{"work_id": "long"}')
    until(lambda: processes(f"sleep {mark}"), "the program runs")
    return tree, f"sleep {mark}"


@fact
def a_second_signal_stops_at_once_and_leaves_no_process(folder):
    tree, mark = sleeper(folder, shutdown="infinity")
    tree.signal(signal.SIGTERM)
    tree.wait_event("stopping", "/w")
    assert processes(mark), "the job should have been let run"
    tree.signal(signal.SIGTERM)
    same(tree.wait(), 1)
    until(lambda: not processes(mark), "the program is gone")
    contains(tree.said(), "stopped at once")


@fact
def a_second_signal_does_not_wait_for_a_thread_that_is_stuck(folder):
    tree = folder.start({"name": "t", "children": [
        child("p", "faulty", isolation="process"),
        child("w", "faulty", isolation="thread", stuck_after="100ms", shutdown="100ms")]})
    apart = folder.ask("status", "/p", "--json")[0]["pid"]
    folder.bough("send", "/w", "hang")
    tree.wait_event("stuck", "/w")
    tree.signal(signal.SIGTERM)
    tree.wait_event("stopping", "/")
    tree.signal(signal.SIGTERM)
    same(tree.wait(), 1)
    contains(tree.said(), "stopped at once", "does not return from its handler")
    until(lambda: not os.path.exists(f"/proc/{apart}"), "the end of its process")


@fact
def a_signal_after_a_shutdown_is_the_first_one(folder):
    tree, mark = sleeper(folder, shutdown="infinity")
    folder.bough("shutdown", "--timeout", "50ms", code=7)
    tree.signal(signal.SIGTERM)
    tree.request("GET", "/v1/tree")
    assert tree.alive() and processes(mark), "the job should have been let run"
    tree.signal(signal.SIGTERM)
    same(tree.wait(), 1)


@fact
def sigkill_of_the_program_leaves_no_process(folder):
    tree, mark = sleeper(folder)
    tree.signal(signal.SIGKILL)
    same(tree.wait(), -signal.SIGKILL)
    until(lambda: not processes(mark), "the program is gone")


@fact
def sigkill_of_the_program_leaves_nothing_that_its_job_has_started(folder):
    marks = [f"sleep 3153600{number}.{os.getpid()}" for number in (1, 2)]
    tree = folder.start({"name": "family", "children": [
        child("w", "worker", options={"run": ["sh", "-c", f"{marks[0]} & {marks[1]}; :"],
                                      "timeout": "infinity"})]})
    folder.bough("send", "/w", "do_work", '{"work_id": "long"}')
    for mark in marks:
        until(lambda: processes(mark), "the job has started it")
    tree.signal(signal.SIGKILL)
    same(tree.wait(), -signal.SIGKILL)
    for mark in marks:
        until(lambda: not processes(mark), "what the job started is gone")


@fact
def a_socket_left_by_a_killed_program_is_replaced(folder):
    file = folder.write("left.json", {"name": "left", "children": [child("c", "counter")]})
    killed = folder.start(file)
    killed.signal(signal.SIGKILL)
    killed.wait()
    assert os.path.exists(killed.socket()), "the socket should have been left"
    contains(folder.bough("status", "--name", "left", code=6).stderr, 'no tree "left" runs')
    contains(folder.bough("status", "--control", killed.socket(), code=6).stderr, "nobody there")
    again = folder.start(file)
    folder.bough("status")
    folder.bough("shutdown")
    same(again.wait(), 0)


@fact
def the_same_tree_does_not_run_twice(folder):
    file = folder.write("once.json", {"name": "once", "children": [child("c", "counter")]})
    first = folder.start(file)
    second = folder.start(file, ready=False)
    same(second.wait(), 1)
    contains(second.said(), "bough: once: already running: ")
    same(folder.ask("call", "/c", "increment"), {"count": 1})
    assert first.alive()


@fact
def a_tree_can_start_at_the_moment_shutdown_returns(folder):
    file = folder.write("again.json", {"name": "again", "children": [child("c", "counter")]})
    for _ in range(3):
        tree = folder.start(file)
        folder.bough("shutdown")
        folder.start(file)
        folder.bough("shutdown")
        same(tree.wait(), 0)


@fact
def a_file_that_is_no_socket_is_never_replaced(folder):
    precious = folder.write("precious", "keep me")
    file = folder.write("t.json", {"name": "t", "children": []})
    tree = folder.start(file, "--control", precious, ready=False)
    same(tree.wait(), 1)
    contains(tree.said(), "exists and is not a socket")
    same(open(precious).read(), "keep me")


@fact
def shutdown_may_give_up_waiting(folder):
    tree, mark = sleeper(folder, shutdown="infinity")
    folder.bough("shutdown", "--timeout", "100ms", code=7)
    tree.wait_event("stopping", "/w")
    for program in processes(mark):
        pid = next(int(entry) for entry in os.listdir("/proc") if entry.isdigit() and
                   program_of(entry) == program)
        os.kill(pid, signal.SIGKILL)
    same(tree.wait(), 0)


def program_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


if __name__ == "__main__":
    main()
