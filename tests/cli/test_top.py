#!/usr/bin/env python3
"""test_top.py - `bough top` in a terminal: what is on the screen, and what its keys do.

SPDX-License-Identifier: MIT
"""

import contextlib

from bough_cli import (BOUGH, Skip, child, contains, fact, main, same, supervisor)
from terminal import terminal

TREE = supervisor("grove", [
    child("log", "logger", options={"level": "info"}), child("a", "counter"),
    child("p", "faulty", isolation="process"),
    supervisor("till", [child("drawer", "kv")])], log="/log", intensity=9)


@contextlib.contextmanager
def top(folder, *words, columns=110, lines=24, **env):
    """The program on a screen of its own; it looks often, so that tests need not wait. The
    terminal is the one that pyte is."""
    command = [BOUGH, "top", "--every", "50ms", *words]
    with terminal(command, {**folder.env, "TERM": "linux", "LC_ALL": "C.UTF-8", **env},
                  columns=columns, lines=lines, cwd=folder.path) as one:
        if not has_screen(one):
            raise Skip("built without ncurses")
        yield one


def has_screen(one):
    text = one.until(lambda text: text.strip() != "", "anything")
    return "built without ncurses" not in text


def line_of(one, name):
    """The words of the row of that name."""
    for line in one.text().splitlines():
        words = line.split()
        if name in words[:2]:
            return words
    return []


def leaves(one):
    one.type("q")
    same(one.wait(), 0)


@fact
def the_tree_is_on_the_screen(folder):
    tree = folder.start(TREE)
    with top(folder) as one:
        one.shows(f"grove (pid {tree.pid})", "6 actors, 6 running", "- till", "    drawer",
                  "logger", "? help")
        # A process has a memory, an actor beside others has none.
        one.until(lambda _: line_of(one, "p")[5:6] and line_of(one, "p")[5][-1] in "KMG",
                  "the memory of /p")
        same(line_of(one, "a")[4:6], ["-", "-"])
        leaves(one)


@fact
def a_restart_is_seen_by_itself(folder):
    folder.start(TREE)
    with top(folder) as one:
        one.shows("6 running")
        folder.bough("kill", "/a")
        one.until(lambda _: line_of(one, "a")[2:3] == ["1"], "one restart")
        one.shows("6 running, 1 restart\n")
        leaves(one)


@fact
def actors_are_stopped_started_restarted_and_killed(folder):
    tree = folder.start(TREE)
    with top(folder) as one:
        one.shows("6 running")
        one.type("jj")
        one.type("s")
        one.shows("stop /a? y: yes, any other key: no")
        one.type("n")
        one.shows("? help")
        one.type("s")
        one.shows("stop /a?")
        one.type("y")
        one.until(lambda _: line_of(one, "a")[1:2] == ["stopped"], "it is down")
        one.shows("5 running", "stop /a: accepted")
        one.type("s")
        one.until(lambda _: line_of(one, "a")[1:2] == ["running"], "it is up")
        one.type("r")
        one.shows("restart /a: accepted")
        one.until(lambda _: line_of(one, "a")[7:8] == ["3"], "its third life")
        one.type("k")
        one.shows("kill /a?")
        one.type("y")
        one.until(lambda _: line_of(one, "a")[7:8] == ["4"], "its fourth life")
        assert tree.alive()
        leaves(one)


@fact
def what_the_tree_refuses_is_said(folder):
    folder.start(TREE)
    with top(folder) as one:
        one.shows("6 running")
        one.type("r")
        one.shows("/: ")
        leaves(one)


@fact
def below_can_be_hidden_and_paths_filtered(folder):
    folder.start(TREE)
    with top(folder) as one:
        one.shows("drawer")
        one.type("G")
        one.type("\x1b[A\x1b[D")
        one.until(lambda text: "+ till" in text and "drawer" not in text, "it is folded")
        one.type("/dra")
        one.until(lambda text: "drawer" in text and "logger" not in text, "it is found")
        one.shows("only paths with: dra_")
        one.type("\r")
        one.shows('only paths with "dra"')
        one.type("\x1b")
        one.shows("logger", "+ till")
        one.type("o")
        one.shows("PATH, by cpu", "/till/drawer")
        leaves(one)


@fact
def log_and_events_are_followed(folder):
    folder.start(TREE)
    with top(folder) as one:
        one.shows("6 running")
        one.type("jj\r")
        one.shows("log of /a")
        one.type("e")
        one.shows("events of /a", "/a ready life 1")
        assert "/p ready" not in one.text()
        folder.bough("kill", "/a")
        one.shows("/a ready life 2")
        one.type("q")
        one.shows("- till")
        one.type("gl")
        one.shows("log of /")
        one.shows("/a is up, life 2")
        folder.bough("restart", "/a", "--wait")
        one.shows("/a is up, life 3")
        one.type("q")
        one.shows("- till")
        leaves(one)


@fact
def the_screen_may_change_its_size(folder):
    folder.start(TREE)
    with top(folder) as one:
        one.shows("TYPE", "drawer")
        one.resize(60, 24)
        one.until(lambda text: "TYPE" not in text and "STATE" in text and "drawer" in text,
                  "fewer columns")
        one.resize(30, 5)
        one.shows("too small: 40x8")
        one.resize(110, 24)
        one.shows("TYPE", "drawer", "? help")
        leaves(one)


@fact
def a_tree_that_ends_is_waited_for(folder):
    tree = folder.start(TREE)
    with top(folder) as one:
        one.shows("6 running")
        folder.bough("shutdown")
        tree.wait()
        one.shows("the tree has ended, and is looked for", "drawer")
        again = folder.start(TREE)
        one.shows(f"grove (pid {again.pid})", "6 running")
        one.until(lambda text: "has ended" not in text, "all is well")
        leaves(one)


@fact
def colours_are_those_that_are_wanted(folder):
    folder.start(TREE)
    for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        with top(folder, **env) as one:
            one.shows("6 running", "? help")
            row = next(number for number, line in enumerate(one.screen.display) if "drawer" in line)
            column = one.screen.display[row].index("running")
            same(one.screen.buffer[row][column].fg, "green" if coloured else "default")
            leaves(one)


@fact
def other_locales_and_terminals_do_as_well(folder):
    folder.start(TREE)
    for env in ({"LC_ALL": "C"}, {"TERM": "vt100"}, {"TERM": "xterm"}, {"LC_ALL": "nonsense"}):
        with top(folder, **env) as one:
            one.shows("drawer", "6 running")
            leaves(one)


@fact
def a_text_in_the_log_is_shown_as_the_locale_can(folder):
    folder.start(supervisor("choir", [
        child("voice", "command", restart="temporary", options={"run": ["echo", "grün und gut"]})]))
    for locale, shown in (("C.UTF-8", "grün und gut"), ("C", "gr??n und gut")):
        with top(folder, LC_ALL=locale) as one:
            one.shows("choir")
            one.type("l")
            one.shows("log of /", shown)


@fact
def an_interrupt_leaves_the_terminal_as_it_was(folder):
    folder.start(TREE)
    with top(folder, TERM="xterm") as one:
        one.shows("6 running")
        one.type("\x03")
        one.wait()
        contains(one.raw, b"\x1b[?1049l")


@fact
def where_there_is_no_screen_it_says_so(folder):
    folder.start(TREE)
    done = folder.bough("top", code=1)
    same(done.stdout, "")
    contains(done.stderr, "bough: top: ", "--once")
    for name, said in (("dumb", 'TERM is "dumb"'), ("nonsense", '"nonsense"'), ("", "TERM is not set")):
        with terminal([BOUGH, "top"], {**folder.env, "TERM": name}) as one:
            same(one.wait(), 1)
            if "without ncurses" not in one.text():
                contains(one.text().replace("\n", ""), said)


@fact
def without_a_tree_it_says_so(folder):
    contains(folder.bough("top", code=6).stderr, "no tree runs")
    contains(folder.bough("top", "--every", "1ms", code=2).stderr, "50ms to 1h")
    contains(folder.bough("top", "--every", "soon", code=2).stderr, "--every")


@fact
def one_picture_is_text(folder):
    tree = folder.start(TREE)
    for _ in range(3):
        folder.bough("call", "/a", "increment")
    text = folder.bough("top", "--once", "--every", "50ms").stdout
    lines = text.splitlines()
    contains(lines[0], f"grove (pid {tree.pid})", "6 actors, 6 running, 0 restarts")
    contains(lines[2], "NAME", "STATE", "RESTARTS", "MAILBOX", "CPU%", "MEMORY", "MSG/S", "LIFE",
             "UPTIME", "TYPE")
    same(len(lines), 3 + 6)
    same("\x1b" in text, False)


main()
