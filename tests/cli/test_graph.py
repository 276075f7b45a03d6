#!/usr/bin/env python3
"""test_graph.py - `bough graph`, and what dot(1) says to it.

SPDX-License-Identifier: MIT
"""

import shutil

from bough_cli import (SOURCE, Skip, child, contains, fact, main, same, subprocess, supervisor,
                       until)


def draw(text):
    """What dot makes of a graph; it is silent about one that is right."""
    if shutil.which("dot") is None:
        raise Skip("no dot here (package graphviz)")
    done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True)
    same((done.returncode, done.stderr), (0, ""), text)
    return done.stdout


@fact
def the_graph_of_each_example_can_be_drawn(folder):
    files = sorted((SOURCE / "config/examples").glob("*.json"))
    assert files
    for file in files:
        picture = draw(folder.bough("graph", str(file)).stdout)
        contains(picture, "<svg", "supervisor")


@fact
def a_tree_that_runs_is_drawn_with_states_and_boxes(folder):
    tree = folder.start(supervisor("grove", [
        child("a", "counter"), child("b", "counter", isolation="thread"),
        child("c", "counter", isolation="process")]))
    folder.bough("stop", "/a", "--wait")
    picture = draw(folder.bough("graph").stdout)
    contains(picture, f"grove (pid {tree.pid})", "thread", "process ", "running, life 1",
             "stopped, life 1", "lightgrey", "palegreen")


@fact
def a_picture_shows_restarts(folder):
    folder.start(supervisor("grove", [child("a", "counter")], intensity=5))
    folder.bough("kill", "/a")
    until(lambda: "running, life 2, 1 restart" in folder.bough("graph").stdout, "the next life")


@fact
def a_file_that_is_wrong_has_no_graph(folder):
    done = folder.bough("graph", folder.write("wrong.json", "{"), code=78)
    same(done.stdout, "")
    contains(done.stderr, "wrong.json")


@fact
def without_a_tree_it_says_so(folder):
    done = folder.bough("graph", code=6)
    same(done.stdout, "")
    contains(done.stderr, "bough: ")


main()
