#!/usr/bin/env python3
"""A newcomer's session with config/examples/shop.json, from the first command to the last.

SPDX-License-Identifier: MIT
"""

from bough_cli import (BOUGH, SOURCE, child, contains, fact, json, main, same, signal,
                       subprocess, supervisor, until)

SHOP = str(SOURCE / "config/examples/shop.json")
HELLO = str(SOURCE / "config/examples/hello.json")


def life(folder, path):
    return folder.ask("status", path, "--json")[0]["life"]


@fact
def the_hello_example_does_what_its_comment_says(folder):
    tree = folder.start(HELLO)
    same(folder.bough("call", "/counter", "increment").stdout, '{"count":1}\n')
    same(folder.bough("call", "/counter", "increment", '{"amount": 41}').stdout,
         '{"count":42}\n')
    folder.bough("kill", "/counter")
    until(lambda: life(folder, "/counter") == 2, "the second life")
    same(folder.bough("call", "/counter", "get_count").stdout, '{"count":0}\n')
    folder.bough("shutdown")
    same(tree.wait(), 0)


@fact
def status_shows_every_actor_parents_first(folder):
    folder.start(SHOP)
    places = folder.ask("status", "--json")
    same([place["path"] for place in places],
         ["/", "/log", "/store", "/visitors", "/press", "/clock", "/till", "/till/drawer",
          "/till/receipts", "/till/audit"])
    same(sorted(places[1]),
         sorted(["path", "type", "state", "life", "restarts", "restart", "isolation", "pid",
                 "memory", "cpu_ms", "stuck", "uptime_ms", "mailbox", "handled",
                 "quarantined"]))
    same(sorted(places[1]["mailbox"]), ["capacity", "dropped", "length"])
    same({place["state"] for place in places}, {"running"})
    same(places[1]["pid"], None)
    same(places[1]["isolation"], "inline")
    same(places[5]["restart"], "transient")


@fact
def status_of_a_path_shows_what_is_below_it(folder):
    folder.start(SHOP)
    below = folder.bough("status", "/till").stdout.splitlines()
    same([line.split()[0] for line in below],
         ["PATH", "/till", "/till/drawer", "/till/receipts", "/till/audit"])


@fact
def the_running_tree_and_its_file_draw_the_same_picture(folder):
    folder.start(SHOP)
    running = folder.bough("tree").stdout.splitlines()[1:]
    declared = folder.bough("tree", SHOP).stdout.splitlines()[1:]
    same([line.split("  ")[0] for line in running], [line.split("  ")[0] for line in declared])
    contains(running[1], "├── log", "logger", "running")
    contains(running[-1], "    └── audit")
    assert "\033" not in "".join(running), "colour without a terminal"


@fact
def the_store_sets_and_gets(folder):
    folder.start(SHOP)
    folder.bough("call", "/store", "set", '{"key": "apple", "value": "3 left"}')
    same(folder.bough("call", "/store", "get", '{"key": "apple"}').stdout,
         '{"value":"3 left"}\n')


@fact
def values_that_are_not_utf8_come_as_base64(folder):
    folder.start(SHOP)
    folder.bough("call", "/store", "set", '{"key": "raw", "value": {"base64": "/wD+"}}')
    same(folder.ask("call", "/store", "get", '{"key": "raw"}'), {"value": {"base64": "/wD+"}})


@fact
def an_expired_key_is_gone_without_being_read(folder):
    tree = folder.start(SHOP)

    def size():
        return tree.request("POST", "/v1/actors/store/call", {"message": "size"})[1]

    before = size()
    tree.request("POST", "/v1/actors/store/call", {"message": "set", "fields": {
        "key": "offer", "value": "half", "ttl": "1s"}})
    during = size()
    same(during["size"], before["size"] + 1)
    assert during["memory"] > before["memory"], during
    until(lambda: size()["size"] == before["size"], "it expires")
    until(lambda: size()["memory"] <= before["memory"], "its memory is free")


@fact
def a_refusal_is_one_line_on_stderr_and_code_1(folder):
    folder.start(SHOP)
    refused = folder.bough("call", "/store", "get", '{"key": "nothing"}', code=1)
    same(refused.stdout, "")
    contains(refused.stderr, "bough: /store: not_found: ")
    same(refused.stderr.count("\n"), 1)
    same(folder.ask("call", "/store", "get", '{"key": "nothing"}', "--json", code=1)["error"]
         ["status"], "not_found")


@fact
def the_worker_does_a_job_and_logs_its_start_and_end(folder):
    tree = folder.start(SHOP)
    answer = folder.ask("call", "/press", "do_work",
                        '{"work_id": "label-1", "input": "fresh apples"}')
    same((answer["work_id"], answer["status"], answer["output"]),
         ("label-1", 0, "FRESH APPLES"))
    assert answer["duration_ms"] >= 0
    until(lambda: tree.said().count("work_id=label-1") == 2, "two lines of log")
    lines = [line for line in tree.said().splitlines() if "work_id=label-1" in line]
    contains(lines[0], "info /press: job started")
    contains(lines[1], "info /press: job ended", "status=0")


@fact
def a_killed_child_is_restarted_alone(folder):
    tree = folder.start(SHOP)
    same(folder.ask("call", "/visitors", "increment"), {"count": 101})
    folder.bough("kill", "/visitors")
    exited = tree.wait_event("exited", "/visitors")
    same((exited["life"], exited["reason"]), (1, "error"))
    restarting = tree.wait_event("restarting", "/visitors")
    same(restarting["cause"], exited["seq"])
    same(tree.wait_event("ready", "/visitors", restarting["seq"])["life"], 2)
    same(folder.ask("call", "/visitors", "get_count"), {"count": 100})
    lives = {place["path"]: place["life"] for place in folder.ask("status", "--json")}
    same({path for path, number in lives.items() if number != 1}, {"/visitors"})
    same(folder.ask("status", "/visitors", "--json")[0]["restarts"], 1)


@fact
def one_of_the_group_restarts_all_of_it_in_order(folder):
    tree = folder.start(SHOP)
    last = tree.events()[-1]["seq"]
    folder.bough("kill", "/till/drawer", "--reason", "kill")
    tree.wait_event("ready", "/till/audit", last)
    seen = [(event["event"], event["path"]) for event in tree.events() if event["seq"] > last]
    same(seen, [("exited", "/till/drawer"), ("restarting", "/till/drawer"),
                ("stopping", "/till/audit"), ("exited", "/till/audit"),
                ("stopping", "/till/receipts"), ("exited", "/till/receipts"),
                ("started", "/till/drawer"), ("ready", "/till/drawer"),
                ("started", "/till/receipts"), ("ready", "/till/receipts"),
                ("started", "/till/audit"), ("ready", "/till/audit")])
    lives = {place["path"]: place["life"] for place in folder.ask("status", "--json")}
    same({path for path, number in lives.items() if number == 2},
         {"/till/drawer", "/till/receipts", "/till/audit"})


@fact
def what_happens_is_in_the_log_a_newcomer_sees(folder):
    tree = folder.start(SHOP)
    folder.bough("kill", "/visitors")
    tree.wait_event("ready", "/visitors", tree.wait_event("restarting", "/visitors")["seq"])
    until(lambda: "/visitors is up, life 2" in tree.said(), "the second start")
    contains(tree.said(), "/visitors is up, life 1", "/visitors ended: error", "shop is up")


@fact
def each_reason_ends_an_actor_as_it_says(folder):
    tree = folder.start({"name": "reasons", "intensity": 10,
                         "children": [child("c", "counter")]})
    for reason, kind in (("error", "error"), ("kill", "killed"), ("normal", "normal"),
                         ("shutdown", "shutdown")):
        last = tree.events()[-1]["seq"]
        folder.bough("kill", "/c", "--reason", reason)
        same(tree.wait_event("exited", "/c", last)["reason"], kind)
        tree.wait_event("ready", "/c", last)


@fact
def shutdown_stops_children_in_reverse_and_ends_with_0(folder):
    tree = folder.start(SHOP)
    followed = folder.follow()
    folder.bough("shutdown")
    same(tree.wait(), 0)
    events = followed()
    ended = [event["path"] for event in events if event["event"] == "exited"]
    same(ended, ["/till/audit", "/till/receipts", "/till/drawer", "/till", "/clock", "/press",
                 "/visitors", "/store", "/log", "/"])
    same([event["seq"] for event in events], list(range(1, len(events) + 1)))
    folder.bough("status", code=6)


@fact
def events_are_numbered_dated_and_in_order(folder):
    tree = folder.start(SHOP)
    lines = folder.bough("events", "--json").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    same([event["seq"] for event in events], list(range(1, len(events) + 1)))
    for event in events:
        same(len(event["time"]), len("2026-01-31T12:00:00.000Z"))
        same((event["time"][10], event["time"][-1]), ("T", "Z"))
    later = folder.bough("events", "--json", "--since", "5").stdout.splitlines()
    same(later, lines[5:])
    same(len(folder.bough("events").stdout.splitlines()), len(tree.events()))


@fact
def a_supervisor_answers_about_its_children(folder):
    folder.start(SHOP)
    same(folder.ask("call", "/", "count_children"),
         {"specs": 6, "active": 6, "supervisors": 1, "workers": 5})
    names = [row["name"] for row in folder.ask("call", "/till", "which_children")["children"]]
    same(names, ["audit", "receipts", "drawer"])


@fact
def send_tells_and_does_not_wait(folder):
    tree = folder.start(SHOP)
    same(folder.bough("send", "/log", "log", '{"level": "info", "text": "hello there"}').stdout,
         "")
    until(lambda: "hello there" in tree.said(), "the line of log")


@fact
def sigterm_and_sigint_stop_in_order(folder):
    for number in (signal.SIGTERM, signal.SIGINT):
        tree = folder.start(HELLO)
        tree.signal(number)
        same(tree.wait(), 0)
        folder.bough("status", code=6)


@fact
def sighup_makes_loggers_open_their_files_again(folder):
    tree = folder.start({"name": "rotated", "log": "/log", "children": [
        child("log", "logger", options={"file": "rotated.log"}), child("c", "counter")]})
    path = folder.path / "rotated.log"
    until(lambda: path.exists() and "/c is up, life 1" in path.read_text(), "the first lines")
    path.rename(folder.path / "old.log")
    tree.signal(signal.SIGHUP)
    until(path.exists, "the file again")
    folder.bough("kill", "/c")
    until(lambda: "/c is up, life 2" in path.read_text(), "what came after")
    assert "life 2" not in (folder.path / "old.log").read_text()


@fact
def a_followed_status_goes_on_until_the_tree_is_gone(folder):
    tree = folder.start(HELLO)
    path = folder.path / "status"
    with open(path, "w") as out:
        watcher = subprocess.Popen([BOUGH, "status", "/counter", "--follow", "--json"],
                                   stdout=out, stderr=subprocess.PIPE, text=True,
                                   env=folder.env)
    until(lambda: path.read_text().count("\n") >= 1, "the first table")
    folder.bough("kill", "/counter")
    until(lambda: '"life":2' in path.read_text(), "a table after the restart")
    folder.bough("shutdown")
    same(tree.wait(), 0)
    same(watcher.wait(timeout=60), 6)
    contains(watcher.stderr.read(), "nobody there")
    watcher.stderr.close()


@fact
def a_nested_tree_is_reached_by_its_paths(folder):
    folder.start({"name": "deep", "children": [
        supervisor("a", [supervisor("b", [child("c", "counter")])])]})
    same(folder.ask("call", "/a/b/c", "increment"), {"count": 1})
    same([place["path"] for place in folder.ask("status", "/a/b", "--json")], ["/a/b", "/a/b/c"])


if __name__ == "__main__":
    main()
