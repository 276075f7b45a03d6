#!/usr/bin/env python3
"""What an env_file says is a part of its command: a plan sees that it has changed.

SPDX-License-Identifier: MIT
"""

import os

from bough_cli import child, contains, fact, main, same, signal, supervisor, until

SECRET = "hunter2"


def program(name, file, **more):
    return child(name, "command", options={
        "run": 'echo "has [$WORD]"; exec sleep 1000', "shell": True, "env_file": file}, **more)


def tree(*children, **more):
    return {"name": "t", "children": list(children), **more}


def lives(folder):
    return {row["path"]: row["life"] for row in folder.ask("status", "--json")}


def start(folder, tree_):
    folder.write("word", "WORD=first\n")
    folder.write("other", "WORD=other\n")
    return folder.start(tree_)


TWO = tree(program("a", "word"), program("b", "other"))


@fact
def a_file_that_has_changed_restarts_who_has_read_it(folder):
    tree_ = start(folder, TWO)
    contains(folder.bough("plan", "t.json").stdout, "nothing to do")
    folder.write("word", f"WORD={SECRET}\n")
    plan = folder.ask("plan", "t.json", "--json")
    same([(one["path"], one["act"], one["keys"]) for one in plan["children"]],
         [("/a", "restarted", [{"key": "options.env_file", "restarts": True, "hidden": True,
                                "change": "contents changed"}])])
    contains(folder.bough("plan", "t.json").stdout,
             "      options.env_file: contents changed, and not shown\n")
    contains(folder.bough("apply", "t.json").stdout, "1 restarted, 2 kept")
    same(lives(folder), {"/": 1, "/a": 2, "/b": 1})
    until(lambda: f"/a: has [{SECRET}]" in tree_.said(), "the new word")
    contains(folder.bough("plan", "t.json").stdout, "nothing to do")


@fact
def sighup_sees_it(folder):
    tree_ = start(folder, TWO)
    folder.write("word", "WORD=second\n")
    tree_.signal(signal.SIGHUP)
    tree_.wait_event("applied", "/")
    until(lambda: "/a: has [second]" in tree_.said(), "the new word")
    same(lives(folder), {"/": 1, "/a": 2, "/b": 1})


@fact
def who_was_restarted_since_has_read_it(folder):
    tree_ = start(folder, TWO)
    folder.write("word", "WORD=second\n")
    folder.bough("restart", "/a", "--wait")
    contains(folder.bough("plan", "t.json").stdout, "nothing to do")
    folder.write("word", "WORD=third\n")
    os.kill(folder.ask("status", "/a", "--json")[0]["pid"], signal.SIGKILL)
    until(lambda: "/a: has [third]" in tree_.said(), "the third word")
    contains(folder.bough("plan", "t.json").stdout, "nothing to do")
    folder.write("word", "WORD=first\n")
    contains(folder.bough("plan", "t.json").stdout, "options.env_file: contents changed")


@fact
def it_is_seen_wherever_the_command_lives(folder):
    """Of a group all members are restarted."""
    start(folder, tree(program("g", "word", replicas=2),
                       supervisor("s", [program("x", "word")]),
                       supervisor("p", [program("y", "word"), child("z", "counter")], isolation="process")))
    folder.write("word", "WORD=second\n")
    plan = folder.ask("plan", "t.json", "--json")
    same([one["path"] for one in plan["children"] if one["act"] == "restarted"],
         ["/g", "/s/x", "/p/y"])
    folder.bough("apply", "t.json")
    contains(folder.bough("plan", "t.json").stdout, "nothing to do")
    same(lives(folder)["/p/z"], 1)


@fact
def a_file_that_is_gone_lets_who_has_read_it_live(folder):
    start(folder, TWO)
    (folder.path / "word").unlink()
    contains(folder.bough("plan", "t.json").stdout, "nothing to do")
    contains(folder.bough("apply", "t.json").stdout, "nothing to do")
    same(lives(folder), {"/": 1, "/a": 1, "/b": 1})


@fact
def what_is_taken_back_has_what_the_file_says_now(folder):
    tree_ = start(folder, TWO)
    folder.write("word", "WORD=second\n")
    new = folder.write("new.json", tree(program("a", "word"), program("b", "other"),
                                        child("c", "command", options={"run": ["./missing"]})))
    folder.bough("apply", new, code=1)
    same(lives(folder), {"/": 1, "/a": 3, "/b": 1})
    until(lambda: "/a: has [second]" in tree_.said(), "the word of its third life")
    contains(folder.bough("plan", "t.json").stdout, "nothing to do")


if __name__ == "__main__":
    main()
