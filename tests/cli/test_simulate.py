#!/usr/bin/env python3
"""`bough simulate`: virtual time from the command line.

SPDX-License-Identifier: MIT
"""

import time

from bough_cli import SOURCE, child, contains, fact, json, main, same

SHOP = str(SOURCE / "config/examples/shop.json")
ONE = {"name": "one", "children": [child("c", "counter")]}


@fact
def a_simulation_shows_the_timeline_and_a_table(folder):
    file = folder.write("one.json", ONE)
    text = folder.bough("simulate", file, "--crash", "/c@3s").stdout
    same(text, "        0.000s  one is up\n"
               "        3.000s  /c crashes\n"
               "                  /c is restarted: restart 1 of 1 in 5s\n"
               "                  /c is up, life 2\n"
               "\n"
               "one ran for 1h\n"
               "1 crashes; seed 1\n"
               "\n"
               "PATH  TYPE        CRASHES    LIVES  RESTARTS      DOWN   LONGEST\n"
               "/     supervisor        0        1         0        0s        0s\n"
               "/c    counter           1        2         1        0s        0s\n")
    quiet = folder.bough("simulate", file, "--crash", "/c@3s", "--quiet").stdout
    same(quiet, text.partition("\n\n")[2])


@fact
def giving_up_is_told_and_fails_only_when_asked_to(folder):
    file = folder.write("one.json", ONE)
    words = ["simulate", file, "--crash", "/c=every:1s"]
    text = folder.bough(*words).stdout
    contains(text, "  / gives up: /c needs restart 2 in 5s, and 1 are allowed; ",
             "one gave up after 2s: /c needs restart 2 in 5s")
    folder.bough(*words, "--fail-on-give-up", code=70)
    folder.bough("simulate", file, "--fail-on-give-up")
    folder.bough(*words, "--runs", "2", "--fail-on-give-up", code=70)


@fact
def the_same_seed_gives_the_same_bytes(folder):
    words = ["simulate", SHOP, "--crash", "rate:/=1/1m", "--timeline"]
    first = folder.bough(*words, "--seed", "7").stdout
    same(folder.bough(*words, "--seed", "7").stdout, first)
    assert folder.bough(*words, "--seed", "8").stdout != first
    events = folder.bough(*words, "--json").stdout
    same(folder.bough(*words, "--json").stdout, events)


@fact
def an_hour_takes_well_under_a_second(folder):
    began = time.monotonic()
    result = folder.ask("simulate", SHOP, "--for", "1h", "--crash", "rate:/till=1/1m", "--json")
    took = time.monotonic() - began
    same((result["gave_up"], result["end_ms"]), (False, 3600000))
    assert sum(one["crashes"] for one in result["actors"]) > 100, result
    assert took < 1, f"{took} s"


@fact
def every_example_can_be_simulated(folder):
    """Also one whose actors are to live on threads and in processes."""
    for file in sorted((SOURCE / "config/examples").glob("*.json")):
        result = folder.ask("simulate", str(file), "--for", "1m", "--json")
        same(result["gave_up"], False, file.name)


@fact
def many_runs_give_the_distribution(folder):
    words = ["simulate", SHOP, "--crash", "rate:/=1/1m", "--runs", "50"]
    result = folder.ask(*words, "--json")
    same((result["runs"], result["seed"], result["could_not_start"]), (50, 1, 0))
    after = result["gave_up_after_ms"]
    assert 0 < after["min"] <= after["median"] <= after["p90"] <= after["max"] < 3600000, after
    same([one["path"] for one in result["actors"]][:3], ["/", "/log", "/store"])
    text = folder.bough(*words).stdout
    contains(text, "shop, 50 runs of 1h, seeds 1 to 50\n", f"gave up in {result['gave_up']} (")


@fact
def json_tells_what_the_table_tells_and_the_events_when_asked(folder):
    file = folder.write("one.json", ONE)
    words = ["simulate", file, "--crash", "/c@3s", "--for", "10s", "--json"]
    result = folder.ask(*words)
    same(result, {"name": "one", "seed": 1, "for_ms": 10000, "up": True, "ended": False,
                  "gave_up": False, "end_ms": 10000, "reason": None, "crashes": 1, "missed": 0,
                  "actors": [
                      {"path": "/", "type": "supervisor", "crashes": 0, "lives": 1, "restarts": 0,
                       "failed_starts": 0, "down_ms": 0, "longest_ms": 0},
                      {"path": "/c", "type": "counter", "crashes": 1, "lives": 2, "restarts": 1,
                       "failed_starts": 0, "down_ms": 0, "longest_ms": 0}]})
    events = folder.ask(*words, "--timeline")["events"]
    crash = next(one for one in events if one["event"] == "exited")
    same((crash["at_ms"], crash["path"], crash["time"]), (3000, "/c", "2026-01-01T00:00:03.000Z"))


@fact
def wrong_words_end_with_2_and_wrong_paths_with_4(folder):
    file = folder.write("one.json", ONE)
    for words, code, text in (
            (["--crash", "/d@3s"], 4,
             'simulate: --crash: no actor "/d" in this tree; did you mean "/c"?\n'),
            (["--crash", "/c"], 2, 'simulate: --crash: "/c" is not of the form PATH@TIME, '),
            (["--seed", "x"], 2, 'simulate: --seed takes a number from 0 to '),
            (["--runs", "0"], 2, 'simulate: --runs takes a number from 1 to 100000, not "0"\n'),
            (["--for", "0s"], 2, 'simulate: --for takes a time up to 366d, not "0s"\n'),
            (["--for", "soon"], 2, 'simulate: --for: "soon" is not a duration'),
            (["--crash"], 2, 'simulate: "--crash" takes an argument\n')):
        contains(folder.bough("simulate", file, *words, code=code).stderr, "bough: " + text)
    wrong = folder.write("wrong.json", {"name": "w", "children": [{"name": "x"}]})
    contains(folder.bough("simulate", wrong, code=78).stderr, "wrong.json:")


@fact
def nothing_of_the_real_types_runs(folder):
    mark = folder.path / "mark"
    file = folder.write("w.json", {"name": "w", "children": [
        child("w", "worker", options={"run": ["touch", str(mark)], "every": "1s"}),
        child("log", "logger", options={"file": str(folder.path / "w.log")})]})
    result = folder.ask("simulate", file, "--crash", "/w@3s", "--json")
    same(result["ended"], False)
    assert not mark.exists() and not (folder.path / "w.log").exists()


if __name__ == "__main__":
    main()
