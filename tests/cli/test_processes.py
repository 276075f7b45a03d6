#!/usr/bin/env python3
"""Actors in processes of their own: they crash, are killed, lose their nursery and their parent.

SPDX-License-Identifier: MIT
"""

import os
import pathlib

from bough_cli import SOURCE, Skip, child, contains, fact, json, main, same, signal, until

EXAMPLE = str(SOURCE / "config/examples/processes.json")


def place(folder, path):
    return folder.ask("status", path, "--json")[0]


def events_of(folder):
    return [json.loads(line) for line in folder.bough("events", "--json").stdout.splitlines()]


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
def a_fault_is_reported_with_its_backtrace_and_message(folder):
    folder.start(tree_of())
    for how, said, function in (("segv", "SEGV at 0x0", "write_nowhere"),
                                ("abort", "ABRT: raised", "faulty_run"),
                                ("fpe", "FPE: integer division by zero", "divide"),
                                ("stack", "SEGV at 0x", "call_on")):
        folder.bough("call", "/risky", "crash", json.dumps({"how": how}), code=1)
        life = {"segv": 1, "abort": 2, "fpe": 3, "stack": 4}[how]
        reports = []
        until(lambda: reports or reports.extend(
            event for event in events_of(folder)
            if event["event"] == "crash_report" and event["life"] == life), f"the report of {how}")
        crash = reports[0]["crash"]
        contains(crash["what"], said)
        contains("\n".join(crash["backtrace"]), function, "faulty.c:", " in bough")
        same(crash["message"], {"message": "crash", "fields": {"how": how, "code": 1}})
        same(crash["runner"], "/risky")
        assert crash["usage"]["memory"] > 0 and crash["usage"]["minor_faults"] > 0
        same((crash["name"], crash["address"] is not None),
             (said[:4].rstrip(":"), how in ("segv", "stack")))
        ended = [event for event in events_of(folder)
                 if event["seq"] == reports[0]["cause"]]
        same((ended[0]["event"], ended[0]["life"]), ("exited", life))
    contains(folder.bough("why", "/risky").stdout, "/risky died of SEGV at 0x",
             'while /risky ran crash {"how":"stack","code":1}', "call_on+0x")
    contains(folder.bough("events").stdout, "crash_report life 1: SEGV at 0x0: nothing is there")


@fact
def who_is_stuck_is_ended_and_reported(folder):
    folder.start(tree_of(stuck_after="500ms"))
    done = folder.bough("call", "/risky", "hang", code=1)
    contains(done.stderr, "crashed: timeout: stuck for ")
    same(folder.ask("call", "/risky", "echo", '{"text": "still here"}'), {"text": "still here"})
    until(lambda: [event for event in events_of(folder) if event["event"] == "crash_report"],
          "the report")
    report = [event for event in events_of(folder) if event["event"] == "crash_report"][0]["crash"]
    contains("\n".join(report["backtrace"]), "faulty_run")
    same((report["name"], report["message"]["message"]), ("ABRT", "hang"))
    assert report["stuck_ms"] >= 500
    why = folder.ask("why", "/risky", "--json")
    contains(why["text"], "exited with timeout: stuck for ", "while /risky ran hang")
    same(why["crash"], report)


@fact
def who_is_stuck_on_a_thread_is_shown_until_it_goes_on(folder):
    folder.start({"name": "risk", "children": [
        child("far", "faulty", isolation="thread", stuck_after="200ms"), child("store", "kv")]})
    same(place(folder, "/far")["stuck"], False)
    folder.bough("send", "/far", "hang", '{"for": "3s"}')
    until(lambda: place(folder, "/far")["stuck"], "that it is found")
    same(place(folder, "/far")["state"], "running")
    contains(folder.bough("status").stdout, "stuck")
    contains(folder.bough("why", "/far").stdout, "/far is stuck: at ", " a handler had run for ",
             "faulty_run")
    until(lambda: not place(folder, "/far")["stuck"], "that it goes on")
    told = [event for event in events_of(folder) if "stuck_ms" in event]
    same([event["event"] for event in told], ["stuck", "unstuck"])
    same((told[1]["cause"], place(folder, "/far")["life"]), (told[0]["seq"], 1))
    contains("\n".join(told[0]["backtrace"]), "faulty_run")
    assert told[0]["stuck_ms"] >= 200 and told[1]["stuck_ms"] > told[0]["stuck_ms"]
    assert "stuck" not in folder.bough("why", "/far").stdout


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
    assert shown["memory"] > 0 and shown["cpu_ms"] >= 0
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
    until(lambda: {command(pid) for pid in children(tree.pid)} ==
          {"bough-child", "bough-guard", "bough-nursery"}, "all of them, with their names")
    family = children(tree.pid)
    assert len(family) >= 5
    os.kill(tree.pid, signal.SIGKILL)
    tree.wait()
    until(lambda: all(command(pid) is None for pid in family), "the end of all")


def guards(pid):
    return [child for child in children(pid) if command(child) == "bough-guard"]


@fact
def a_killed_or_stopped_guard_is_made_again_before_anything_starts(folder):
    tree = folder.start(EXAMPLE)
    family = set(children(tree.pid))
    dead = None
    for number in (signal.SIGKILL, signal.SIGSTOP, None):
        until(lambda: set(guards(tree.pid)) - {dead}, "the guard")
        if number is not None:
            dead, = set(guards(tree.pid)) - {dead}
            os.kill(dead, number)
    family |= set(children(tree.pid))
    os.kill(tree.pid, signal.SIGKILL)
    tree.wait()
    until(lambda: all(command(pid) is None for pid in family), "the end of all")


def nurseries(pid):
    return [child for child in children(pid) if command(child) == "bough-nursery"]


@fact
def a_killed_nursery_is_made_again(folder):
    tree = folder.start(tree_of())
    dead = None
    for life in (2, 3):
        until(lambda: set(nurseries(tree.pid)) - {dead}, "the nursery")
        dead, = set(nurseries(tree.pid)) - {dead}
        os.kill(dead, signal.SIGKILL)
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


def start_process(folder, **keys):
    """A tree with /risky in a process with these keys; its pid."""
    folder.start(tree_of(**keys))
    return place(folder, "/risky")["pid"]


@fact
def a_process_has_the_limits_it_was_given(folder):
    pid = start_process(folder, rlimits={"cpu": "600s", "files": 64, "core": "0B"},
                        no_new_privs=True, oom_score_adj=900)
    of = {line[:25].strip(): line[25:].split()[:2]
          for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()}
    same(of["Max cpu time"], ["600", "601"])
    same(of["Max open files"], ["64", "64"])
    same(of["Max core file size"], ["0", "0"])
    contains(pathlib.Path(f"/proc/{pid}/status").read_text(), "NoNewPrivs:\t1\n")
    same(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(), "900\n")


@fact
def what_it_takes_beyond_its_memory_is_refused(folder):
    pid = start_process(folder)
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0])
    begins = pages * os.sysconf("SC_PAGESIZE") >> 20
    if begins > 1 << 20:
        raise Skip("a sanitizer takes more than any limit")
    folder.bough("shutdown")
    start_process(folder, rlimits={"memory": f"{begins + 64}MiB"})
    same(folder.ask("call", "/risky", "leak", '{"size": "16MiB"}'), {"leaked": 16 << 20})
    contains(folder.bough("call", "/risky", "leak", '{"size": "100MiB"}', code=1).stderr,
             "no_memory")
    same(folder.ask("call", "/risky", "echo", '{"text": "lives"}'), {"text": "lives"})


@fact
def a_hang_ends_with_its_time_on_the_processor(folder):
    start_process(folder, rlimits={"cpu": "1s"})
    contains(folder.bough("call", "/risky", "hang", code=1).stderr, "crashed", "signal XCPU")
    until(lambda: place(folder, "/risky")["state"] == "running", "the next life")
    contains(folder.bough("why", "/risky").stdout, "signal XCPU")


@fact
def another_user_dies_with_the_program_too(folder):
    if os.geteuid() != 0:
        raise Skip("only root has other users")
    tree = folder.start(tree_of(user="65534", group="4242"))
    pid = place(folder, "/risky")["pid"]
    contains(pathlib.Path(f"/proc/{pid}/status").read_text(),
             "Uid:\t65534\t65534\t65534\t65534\n", "Gid:\t4242\t4242\t4242\t4242\n")
    os.kill(tree.pid, signal.SIGKILL)
    tree.wait()
    until(lambda: command(pid) is None, "its end")


@fact
def a_limit_that_it_cannot_have_is_told(folder):
    is_root = os.geteuid() == 0
    for keys, said in (
            ({"rlimits": {"memory": "1MiB"}}, "the rlimit memory, 1048576 bytes, is less than"),
            ({"rlimits": {"files": 1 << 30}}, "cannot set the rlimit files to 1073741824"),
            ({"user": "no-such-user"}, "there is no user" if is_root else "only root can")):
        file = folder.write("tree.json", tree_of(**keys))
        contains(folder.bough("run", file, code=69).stderr, "/risky did not start", said)


@fact
def check_says_who_cannot_start_here(folder):
    file = folder.write("tree.json", tree_of(user="no-such-user"))
    said = "there is no user" if os.geteuid() == 0 else "only root can"
    contains(folder.bough("check", file).stdout, f"cannot start here: /risky: {said}")
    found = folder.ask("check", "--json", file)["obstacles"]
    same([one["path"] for one in found], ["/risky"])
    contains(found[0]["text"], said)
    same(folder.ask("check", "--json", EXAMPLE)["obstacles"], [])


@fact
def simulate_takes_a_tree_with_limits(folder):
    file = folder.write("tree.json", tree_of(user="no-such-user", rlimits={"files": 16}, redeliver=3))
    contains(folder.bough("simulate", file, "--for", "10s", "--crash", "/risky@3s").stdout,
             "/risky")


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
