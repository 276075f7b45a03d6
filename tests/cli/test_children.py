#!/usr/bin/env python3
"""`bough start`, `stop` and `restart`, and `bough why` about what they did.

SPDX-License-Identifier: MIT
"""

from bough_cli import (BOUGH, child, contains, fact, json, main, same, subprocess, supervisor,
                       until)

TREE = {"name": "t", "strategy": "rest-for-one", "intensity": 5, "period": "10s", "children": [
    child("db", "counter"), child("api", "counter"),
    supervisor("sup", [child("x", "counter")], intensity=1),
    child("tmp", "counter", restart="temporary"),
    child("job", "counter", restart="transient")]}


def state_of(folder, path):
    return folder.ask("status", path, "--json")[0]["state"]


@fact
def stop_leaves_down_and_start_brings_back(folder):
    folder.start(TREE)
    same(folder.ask("stop", "/db", "--wait", "--json"),
         {"path": "/db", "state": "stopped", "life": 1})
    same(state_of(folder, "/api"), "running")
    contains(folder.bough("why", "/db").stdout, "/db is stopped: it was stopped by hand at ")
    same(folder.ask("start", "/db", "--wait", "--json"),
         {"path": "/db", "state": "running", "life": 2})
    contains(folder.bough("why", "/db").stdout, "/db is in life 2: it was started by hand at ")
    same(folder.bough("stop", "/db", "--wait").stdout, "")


@fact
def without_wait_it_is_accepted_and_done(folder):
    folder.start(TREE)
    same(folder.ask("stop", "/db", "--json"), {"path": "/db", "asked": "stop"})
    until(lambda: state_of(folder, "/db") == "stopped", "/db is stopped")
    same(folder.ask("start", "/db", "--json"), {"path": "/db", "asked": "start"})
    until(lambda: state_of(folder, "/db") == "running", "/db runs")
    same(folder.ask("restart", "/db", "--json"), {"path": "/db", "asked": "restart"})
    until(lambda: folder.ask("status", "/db", "--json")[0]["life"] == 3, "the third life")


@fact
def a_restart_leaves_siblings_and_limits_alone(folder):
    tree = folder.start(TREE)
    for life in range(2, 12):
        same(folder.ask("restart", "/db", "--wait", "--json"),
             {"path": "/db", "state": "running", "life": life})
    same(folder.ask("status", "/api", "--json")[0]["life"], 1)
    assert not [one for one in tree.events() if one["event"] == "restarting"]


@fact
def a_supervisor_is_stopped_and_started_whole(folder):
    folder.start(TREE)
    folder.bough("stop", "/sup", "--wait")
    same(state_of(folder, "/sup/x"), "stopped")
    contains(folder.bough("start", "/sup/x", code=1).stderr,
             "bough: /sup/x: gone: its supervisor /sup is stopped\n")
    contains(folder.bough("why", "/sup/x").stdout, "/sup/x is stopped: /sup took it along at ")
    folder.bough("start", "/sup", "--wait")
    same(state_of(folder, "/sup/x"), "running")


@fact
def what_cannot_be_is_refused_with_its_status(folder):
    folder.start(TREE)
    for words, code, text in (
            (["start", "/db"], 1, "/db: running: /db runs\n"),
            (["start", "/db", "--wait"], 1, "/db: running: /db runs\n"),
            (["stop", "/"], 1, "/: refused: the root has no supervisor; `bough shutdown` stops "
                               "the tree, `bough run` starts it\n"),
            (["restart", "/tmp"], 1, "/tmp: refused: once /tmp has ended it is forgotten, and "
                                     "cannot be started again\n"),
            (["stop", "/nope"], 4, "/nope: not_found: no actor at this path"),
            (["stop", "nope"], 2, '"nope" is not a path; '),
            (["stop", "/db", "--timeout", "1s"], 2, "stop: --timeout is for --wait\n"),
            (["stop", "/db", "--wait", "--timeout", "0s"], 2,
             "stop: --timeout must be longer than nothing\n")):
        contains(folder.bough(*words, code=code).stderr, "bough: " + text)
    same(json.loads(folder.bough("start", "/db", "--json", code=1).stdout)["error"]["status"],
         "running")


@fact
def one_that_is_stopped_for_good_is_removed(folder):
    folder.start(TREE)
    same(folder.ask("stop", "/tmp", "--wait", "--json"), {"path": "/tmp", "state": "removed"})
    contains(folder.bough("why", "/tmp").stdout, "/tmp was forgotten at ")


def start_deaf(folder):
    """A tree whose one worker has a job that does not listen, so that its stop takes a while."""
    mark = folder.path / "mark"
    tree = folder.start({"name": "slow", "children": [
        child("w", "worker", shutdown="2s", options={
            "run": ["sh", "-c", f"trap '' TERM; touch {mark}; sleep 100"], "every": "1ms"})]})
    until(mark.exists, "its job does not listen")
    return tree


@fact
def a_wait_that_is_cut_short_does_not_cut_the_stop_short(folder):
    start_deaf(folder)
    done = folder.bough("restart", "/w", "--wait", "--timeout", "10ms", code=7)
    contains(done.stderr, "no answer from the tree at ", " within 10ms")
    until(lambda: folder.ask("status", "/w", "--json")[0]["life"] == 2, "the second life")


@fact
def a_shutdown_in_the_middle_answers_who_waits(folder):
    tree = start_deaf(folder)
    waiting = subprocess.Popen([BOUGH, "restart", "/w", "--wait"], env=folder.env,
                               stderr=subprocess.PIPE, text=True)
    tree.wait_event("stopping", "/w")
    folder.bough("shutdown")
    contains(waiting.communicate(timeout=60)[1], "bough: /w: ")
    same(waiting.returncode, 1)
    same(tree.wait(), 0)


@fact
def a_shutdown_in_the_middle_is_no_matter_for_who_does_not_wait(folder):
    tree = start_deaf(folder)
    folder.bough("restart", "/w")
    tree.wait_event("stopping", "/w")
    folder.bough("shutdown")
    same(tree.wait(), 0)


@fact
def bodies_are_checked(folder):
    tree = folder.start(TREE)
    for body, code, text in (
            (b'{"wait": 1}', 400, '"wait" must be true or false'),
            (b'{"wiat": true}', 400, 'unknown member "wiat"; did you mean "wait"?'),
            (b"[]", 400, "the body must be an object"), (b"{", 400, "the body is not JSON: ")):
        got, answer = tree.request("POST", "/v1/actors/db/stop", body)
        same(got, code, body)
        contains(answer["error"]["text"], text)
    same(state_of(folder, "/db"), "running")
    same(tree.request("POST", "/v1/actors/db/stop")[0], 202)
    same(tree.request("POST", "/v1/actors/db/start", {"wait": True})[0], 200)


@fact
def a_restart_that_waits_is_refused_and_given_up_by_stop(folder):
    tree = folder.start({"name": "w", "children": [
        child("c", "counter", backoff={"min": "1h"})]})
    folder.bough("kill", "/c")
    tree.wait_event("restarting", "/c")
    same(folder.bough("start", "/c", code=1).stderr,
         "bough: /c: restarting: /c is being restarted\n")
    contains(folder.bough("why", "/c").stdout, "/c is being restarted: it exited with error: "
             "failed: ended by hand at ", "; next try in 59m5")
    folder.bough("stop", "/c", "--wait")
    same(state_of(folder, "/c"), "stopped")


@fact
def why_tells_who_broke(folder):
    tree = folder.start(TREE)
    same(folder.bough("why", "/api").stdout, "/api is in life 1; it has never ended\n")
    folder.bough("kill", "/db")
    until(lambda: folder.ask("status", "/job", "--json")[0]["life"] == 2, "all are back")
    why = folder.ask("why", "/api", "--json")
    contains(why["text"], "/api is in life 2: rest-for-one stopped it at ", " because /db exited with "
             "error: failed: ended by hand at ", "; 1 of 5 restarts used in 10s")
    same((why["path"], why["complete"]), ("/api", True))
    kinds = {one["seq"]: (one["event"], one["path"]) for one in tree.events()}
    same({kinds[seq] for seq in why["events"]},
         {("started", "/api"), ("restarting", "/db"), ("exited", "/api"), ("exited", "/db")})
    contains(folder.bough("why", "/nope", code=4).stderr, "bough: /nope: not_found: ")


@fact
def events_say_how_much_of_a_limit_is_used(folder):
    tree = folder.start(TREE)
    folder.bough("kill", "/job")
    event = tree.wait_event("restarting", "/job")
    same([event[key] for key in ("restarts", "allowed", "period_ms", "attempt")],
         [1, 5, 10000, 1])
    contains(folder.bough("events").stdout, "attempt 1, 1 of 5 restarts in 10s")


if __name__ == "__main__":
    main()
