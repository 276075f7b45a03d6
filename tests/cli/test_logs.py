#!/usr/bin/env python3
"""`bough logs`: what actors have logged and programs written, and what they go on to say.

SPDX-License-Identifier: MIT
"""

import signal

from bough_cli import (BOUGH, LIMIT, child, contains, exchange, fact, json, main, same, subprocess,
                       supervisor, until)

SPEAKER = ["sh", "-c", "echo hello; echo oops >&2; while read line; do echo got $line; done"]


def speaker(name, **more):
    return child(name, "command", options={"run": SPEAKER, "stdin": "input", **more})


TREE = {"name": "told", "log": "/log", "intensity": 100, "children": [
    child("log", "logger", options={"file": "told.log"}), child("c", "counter"), speaker("one"),
    supervisor("jobs", [speaker("two")])]}


def lines(folder, *words):
    """The lines that a command finds."""
    text = folder.bough("logs", *words, "--json").stdout
    return [json.loads(line) for line in text.splitlines()]


def said(folder, *words):
    return [line["text"] for line in lines(folder, *words)]


def say(folder, path, text):
    folder.bough("call", path, "input", json.dumps({"text": text + "\n"}))


class Follower:
    """A `bough logs --follow --json` whose output goes to a file."""

    def __init__(self, folder, *words):
        self.path = folder.path / f"follower-{len(list(folder.path.glob('follower-*')))}"
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen([BOUGH, "logs", "--follow", "--json", *words],
                                            stdout=out, env=folder.env)

    def lines(self):
        whole = self.path.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def texts(self):
        return [line.get("text") for line in self.lines()]


@fact
def lines_are_those_of_who_lives_there_or_below(folder):
    folder.start(TREE)
    until(lambda: len(said(folder, "/one")) == 2 and len(said(folder, "/jobs/two")) == 2,
          "both have spoken")
    same(sorted((line["path"], line["stream"], line["text"]) for line in lines(folder, "/one")),
         [("/one", "stderr", "oops"), ("/one", "stdout", "hello")])
    same({line["path"] for line in lines(folder, "/jobs")}, {"/jobs", "/jobs/two"})
    same(said(folder, "/c"), [])
    everything = lines(folder)
    same(everything, lines(folder, "/"))
    assert {"/", "/one", "/jobs", "/jobs/two"} <= {line["path"] for line in everything}
    assert "told is up: 4 actors under 2 supervisors" in [line["text"] for line in everything]


@fact
def a_line_looks_as_it_does_in_the_log(folder):
    folder.start(TREE)
    until(lambda: len(said(folder, "/one")) == 2, "it has spoken")
    log = folder.path / "told.log"
    shown = folder.bough("logs", "/one").stdout.splitlines()
    same(len(shown), 2)
    until(lambda: all(line in log.read_text().splitlines() for line in shown), "they are there")
    assert any(line.endswith(" info /one: hello stream=stdout") for line in shown), shown


@fact
def the_last_ones_and_those_of_a_level_are_to_be_had(folder):
    folder.start(TREE)
    until(lambda: len(said(folder, "/one")) == 2, "it has spoken")
    for number in range(5):
        say(folder, "/one", str(number))
    until(lambda: said(folder, "/one", "--lines", "1") == ["got 4"], "it has answered")
    same(said(folder, "/one", "--lines", "2"), ["got 3", "got 4"])
    same(said(folder, "/one", "-l", "0"), [])
    folder.bough("kill", "/c")
    until(lambda: lines(folder, "/", "--level", "warning"), "a warning")
    same({line["level"] for line in lines(folder, "/", "--level", "warning")}, {"warning"})


@fact
def who_follows_has_what_comes_until_the_tree_ends(folder):
    tree = folder.start(TREE)
    until(lambda: len(said(folder, "/one")) == 2, "it has spoken")
    follower = Follower(folder, "/one", "--lines", "1")
    until(lambda: len(follower.lines()) == 1, "the last line")
    say(folder, "/jobs/two", "elsewhere")
    say(folder, "/one", "here")
    until(lambda: follower.texts()[1:] == ["got here"], "what comes")
    tree.signal(signal.SIGTERM)
    same(follower.process.wait(timeout=LIMIT), 0)
    same(tree.wait(), 0)
    same(follower.texts()[1:], ["got here"])


@fact
def who_is_interrupted_leaves_nothing_behind(folder):
    tree = folder.start(TREE)
    until(lambda: len(said(folder, "/one")) == 2, "it has spoken")
    before = tree.descriptors()
    follower = Follower(folder, "/")
    until(lambda: len(follower.lines()) > 2, "what was")
    follower.process.send_signal(signal.SIGINT)
    same(follower.process.wait(timeout=LIMIT), -signal.SIGINT)
    until(lambda: tree.descriptors() <= before, "its connection is closed")


@fact
def lines_of_threads_and_processes_are_there(folder):
    folder.start({"name": "places", "log": "/log", "intensity": 100, "children": [
        child("log", "logger"), child("risky", "faulty", isolation="process"),
        supervisor("apart", [child("bad", "faulty")], isolation="thread")]})
    folder.bough("call", "/risky", "crash", '{"how": "abort"}', code=1)
    until(lambda: any("died of ABRT" in text for text in said(folder, "/risky")), "a report")
    folder.bough("call", "/apart/bad", "crash", '{"how": "error"}', code=1)
    until(lambda: any("/apart/bad" in text for text in said(folder, "/apart")), "a restart")


@fact
def a_wrong_path_says_who_is_there(folder):
    folder.start(TREE)
    wrong = folder.bough("logs", "/nope", code=4).stderr
    contains(wrong, 'bough: /nope: not_found: no actor at this path; '
                    '/ has "log", "c", "one" and "jobs"')
    contains(folder.bough("logs", "/jobs/three", code=4).stderr, '/jobs has "two"')
    contains(folder.bough("logs", "/c/d/e", code=4).stderr, "/c has nobody below it")
    many = folder.start({"name": "many", "children": [child(f"n{n}", "counter")
                                                      for n in range(20)]})
    same(many.request("GET", "/v1/logs?path=/x")[0], 404)
    contains(folder.bough("logs", "/x", "--name", "many", code=4).stderr,
             '/ has "n0", "n1"', '"n7" and 12 more')


@fact
def wrong_words_are_refused(folder):
    tree = folder.start(TREE)
    for words, part in ((["one"], 'paths begin with "/"'), (["/one", "--lines", "few"], "--lines"),
                        (["/one", "--level", "loud"], "debug, info, warning or error")):
        contains(folder.bough("logs", *words, code=2).stderr, part)
    for query, part in (("lines=x", "lines"), ("follow=2", "follow"), ("level=loud", "level"),
                        ("lines=99999999999999999999999", "lines")):
        code, answer = tree.request("GET", f"/v1/logs?{query}")
        same(code, 400)
        contains(answer["error"]["text"], part)
    for path in ("x", "", "%00", "/../x", "/" + "x" * 1500, "%ff"):
        same(tree.request("GET", f"/v1/logs?path={path}")[0], 404, path[:40])


@fact
def lines_outlive_who_said_them(folder):
    folder.start(TREE)
    until(lambda: len(said(folder, "/one")) == 2, "it has spoken")
    folder.bough("stop", "/one", "--wait")
    folder.bough("call", "/", "delete_child", '{"name": "one"}')
    same(sorted(said(folder, "/one"))[:2], ["hello", "oops"])


@fact
def a_reader_that_does_not_read_is_told_what_it_has_missed(folder):
    count = 30000
    folder.start({"name": "loud", "log": "/log", "children": [
        child("log", "logger", options={"file": "loud.log"}),
        child("seq", "command", restart="temporary", options={
            "run": ["sh", "-c", f"echo ready; read go; seq -f %0200.0f {count}; exec sleep 1000"],
            "stdin": "input"})]})
    follower = subprocess.Popen([BOUGH, "logs", "/seq", "--follow", "--json"],
                                stdout=subprocess.PIPE, env=folder.env)
    same(json.loads(follower.stdout.readline())["text"], "ready")
    follower.send_signal(signal.SIGSTOP)
    try:
        say(folder, "/seq", "go")
        until(lambda: [text.lstrip("0") for text in said(folder, "/seq", "--lines", "1")]
              == [str(count)], "all was written")
    finally:
        follower.send_signal(signal.SIGCONT)
    seen, missed = 0, 0
    for line in follower.stdout:
        line = json.loads(line)
        missed += line.get("missed", 0)
        seen += "text" in line
        if line.get("text", "").lstrip("0") == str(count):
            break
    follower.kill()
    follower.wait()
    same((seen + missed, missed > 0), (count, True), f"{seen} seen, {missed} missed")


@fact
def many_may_follow_at_once(folder):
    tree = folder.start(TREE)
    until(lambda: len(said(folder, "/one")) == 2, "it has spoken")
    followers = [Follower(folder, "/one", "--lines", "1") for _ in range(8)]
    until(lambda: all(len(follower.lines()) == 1 for follower in followers), "all follow")
    for number in range(20):
        say(folder, "/one", str(number))
    until(lambda: len(said(folder, "/one")) == 22, "it has said all of it")
    tree.signal(signal.SIGTERM)
    same([follower.process.wait(timeout=LIMIT) for follower in followers], [0] * 8)
    same({tuple(follower.texts()[1:]) for follower in followers},
         {tuple(f"got {number}" for number in range(20))})


@fact
def it_is_one_resource_of_the_control_socket(folder):
    tree = folder.start(TREE)
    code, text = exchange(tree.socket(), "GET", "/v1/logs?path=/&lines=1")
    same((code, list(json.loads(text))[:3]), (200, ["time", "level", "path"]))
    same(tree.request("POST", "/v1/logs", b"{}")[0], 405)


main()
