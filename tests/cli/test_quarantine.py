#!/usr/bin/env python3
"""Messages that ended lives: bough quarantine, and its routes.

SPDX-License-Identifier: MIT
"""

from bough_cli import child, contains, fact, json, main, same, until


def start(folder, **keys):
    """/risky in a process, /twice with two tries, and a supervisor with none."""
    return folder.start({"name": "ward", "intensity": 1000, "period": "60s", "children": [
        child("risky", "faulty", isolation="process", **keys),
        child("twice", "faulty", redeliver=2),
        child("plain", "faulty"),
        child("jobs", "supervisor", children=[child("quarantine", "counter")])]})


def crash(folder, path="/risky", how="exit", code=1):
    folder.bough("call", path, "crash", json.dumps({"how": how, "code": code}), code=1)


def messages(folder, path="/risky"):
    return folder.ask("quarantine", path, "--json")["messages"]


def settle(folder, path, life):
    until(lambda: [(one["state"], one["life"]) for one in folder.ask("status", path, "--json")] ==
          [("running", life)], f"life {life} of {path}")


@fact
def it_shows_what_ended_a_life(folder):
    start(folder)
    same(folder.bough("quarantine", "/risky").stdout, "no message of /risky is in quarantine\n")
    crash(folder, code=7)
    crash(folder, how="segv")
    text = folder.bough("quarantine", "/risky").stdout
    lines = text.splitlines()
    same(lines[0].split(), ["NUMBER", "WHEN", "MESSAGE", "FIELDS", "SENDER", "LIVES", "REASON"])
    contains(lines[1], '1   ', 'crash    {"how":"exit","code":7}', "asked", "exit 7")
    contains(lines[2], '2   ', 'crash    {"how":"segv","code":1}', "signal SEGV")
    said = folder.ask("quarantine", "/risky", "--json")
    same((said["path"], said["lost"]), ("/risky", 0))
    one = said["messages"][0]
    same({key: one[key] for key in ("number", "type", "message", "fields", "priority", "asked",
                                    "sender", "life", "lives", "reason", "code")},
         {"number": 1, "type": "faulty", "message": "crash", "fields": {"how": "exit", "code": 7},
          "priority": "normal", "asked": True, "sender": None, "life": 1, "lives": 1,
          "reason": "exit", "code": 7})
    same([one["number"] for one in folder.ask("quarantine", "/risky", "2", "--json")["messages"]],
         [2])
    same(folder.ask("status", "/risky", "--json")[0]["quarantined"], 2)


@fact
def tries_come_first_and_a_fault_counts_inline_too(folder):
    start(folder)
    crash(folder, "/twice", "error")
    crash(folder, "/plain", "error")
    settle(folder, "/twice", 3)
    same([one["lives"] for one in messages(folder, "/twice")], [2])
    same(messages(folder, "/plain"), [])
    contains(folder.bough("quarantine", "/twice").stdout, "error: failed: told to fail")


@fact
def a_kill_by_hand_blames_nobody(folder):
    start(folder)
    folder.bough("send", "/risky", "hang")
    until(lambda: folder.ask("status", "/risky", "--json")[0]["mailbox"]["length"] == 1, "the hang")
    folder.bough("kill", "/risky", "--reason", "signal:SEGV")
    settle(folder, "/risky", 2)
    same(messages(folder), [])


@fact
def it_is_an_event_with_its_cause_and_a_line_of_the_log(folder):
    tree = start(folder)
    crash(folder, how="segv")
    settle(folder, "/risky", 2)
    events = [json.loads(line) for line in folder.bough("events", "--json").stdout.splitlines()]
    found = [event for event in events if event["event"] == "quarantined"]
    same(len(found), 1)
    same((found[0]["path"], found[0]["message"], found[0]["number"], found[0]["lives"],
          found[0]["signal"]), ("/risky", "crash", 1, 1, 11))
    cause = [event for event in events if event["seq"] == found[0]["cause"]][0]
    same((cause["event"], cause["path"]), ("exited", "/risky"))
    contains(folder.bough("events").stdout,
             "/risky quarantined life 1, message crash (1): signal 11: at 0x0: nothing is there (because of")
    contains(tree.said(), '/risky: a message "crash" has ended 1 life and is in quarantine')


@fact
def what_is_put_back_is_run_again(folder):
    start(folder)
    crash(folder, code=1)
    crash(folder, code=2)
    settle(folder, "/risky", 3)
    same(folder.bough("quarantine", "/risky", "--put-back", "2").stdout, "1 put back\n")
    settle(folder, "/risky", 4)
    same([(one["number"], one["fields"]["code"]) for one in messages(folder)], [(1, 1), (3, 2)])
    same(messages(folder)[1]["asked"], False)
    same(folder.ask("quarantine", "/risky", "--put-back", "--json"), {"count": 2})
    settle(folder, "/risky", 6)
    same([one["number"] for one in messages(folder)], [4, 5])


@fact
def a_full_mailbox_loses_nothing(folder):
    start(folder, mailbox={"capacity": 1})
    crash(folder)
    settle(folder, "/risky", 2)
    folder.bough("send", "/risky", "hang")
    contains(folder.bough("quarantine", "/risky", "--put-back", "1", code=1).stderr,
             "full: the mailbox is full: it stays in quarantine")
    contains(folder.bough("quarantine", "/risky", "--put-back", code=1).stderr,
             "0 went back, the others stay in quarantine")
    same([one["number"] for one in messages(folder)], [1])


@fact
def what_is_dropped_is_gone(folder):
    start(folder)
    for code in (1, 2, 3):
        crash(folder, code=code)
    same(folder.bough("quarantine", "/risky", "--drop", "2").stdout, "1 dropped\n")
    same([one["number"] for one in messages(folder)], [1, 3])
    same(folder.bough("quarantine", "--drop", "/risky", "all").stdout, "2 dropped\n")
    same(messages(folder), [])


@fact
def what_is_wrong_is_said(folder):
    tree = start(folder)
    for words, code, said in ((("/risky", "9"), 1, "no message 9 is in quarantine"),
                              (("/risky", "9", "--drop"), 1, "no message 9 is in quarantine"),
                              (("/risky", "0"), 2, '"0" is no message'),
                              (("/risky", "x", "--drop"), 2, '"x" is no message'),
                              (("/risky", "99999999999999999999"), 2, "is no message"),
                              (("/risky", "--drop", "--put-back"), 2, "not both"),
                              (("risky",), 2, "path"),
                              (("/nobody",), 4, "no actor at this path"),
                              (("/nobody", "--drop"), 4, "no actor at this path"),
                              ((), 2, "usage: bough quarantine")):
        contains(folder.bough("quarantine", *words, code=code).stderr, said)
    route = "/v1/actors/risky/quarantine"
    for body, code, part in (({}, 400, '\\"do\\" must be'), ({"do": "eat"}, 400, '\\"do\\" must be'),
                             ({"do": "drop", "number": 0}, 400, "must be that of a message"),
                             ({"do": "drop", "number": "1"}, 400, "must be that of a message"),
                             ({"do": 1}, 400, '\\"do\\" must be'),
                             ({"do": "drop", "numbr": 1}, 400, "did you mean"),
                             ({"do": "put_back", "number": 4}, 404, "no message 4")):
        answer = tree.request("POST", route, body)
        same(answer[0], code, body)
        contains(json.dumps(answer[1]), part)
    same(tree.request("DELETE", route)[0], 405)


@fact
def a_name_is_not_taken_for_a_question(folder):
    tree = start(folder)
    same(tree.request("GET", "/v1/actors/jobs/quarantine")[1][0]["type"], "counter")
    same(tree.request("GET", "/v1/actors/jobs/quarantine/quarantine")[1]["messages"], [])
    same(tree.request("GET", "/v1/actors/quarantine")[1]["messages"], [])
    same(tree.request("POST", "/v1/actors/jobs/quarantine/call", {"message": "increment"}),
         (200, {"count": 1}))


@fact
def all_of_it_goes_with_the_tree_and_nothing_else(folder):
    tree = start(folder)
    crash(folder)
    folder.bough("shutdown")
    same(tree.wait(), 0)


if __name__ == "__main__":
    main()
