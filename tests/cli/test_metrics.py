#!/usr/bin/env python3
"""`bough metrics`: the text is what Prometheus reads, and the figures are those of the tree.

SPDX-License-Identifier: MIT
"""

import re
import shutil
import signal

from bough_cli import (Skip, child, contains, exchange, fact, main, os, same, subprocess,
                       supervisor, until)

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'({NAME})(?:\{{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\}})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
SPIN = ["sh", "-c", "python3 -c 'import time\nwhile time.process_time() < 0.1: pass'; exec sleep 1000"]
TREE = {"name": "measured", "intensity": 1000, "children": [
    child("c", "counter"), child("far", "counter", isolation="thread"),
    child("risky", "faulty", isolation="process"),
    supervisor("jobs", [child("a", "counter"), child("b", "counter")], intensity=100,
               restart="permanent")]}


def parse(text):
    """All samples as {(name, labels): value}; whatever the format does not allow fails."""
    samples, types, family = {}, {}, None
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert family not in types, f"{family} is in two pieces"
            assert re.fullmatch(NAME, family) and len(line.split(" ", 3)[3]) > 0
        elif line.startswith("# TYPE "):
            same(line.split()[2], family)
            types[family] = line.split()[3]
            assert (types[family] == "counter") == family.endswith("_total"), line
        else:
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            name = re.sub("_(bucket|sum|count)$", "", match[1]) \
                if types[family] == "histogram" else match[1]
            same(name, family, line)
            key = (match[1], tuple(sorted(LABEL.findall(match[2] or ""))))
            assert key not in samples, f"twice: {line}"
            samples[key] = float(match[3])
    return samples


def metrics(folder):
    return parse(folder.bough("metrics").stdout)


def value(samples, name, /, **labels):
    return samples.get((name, tuple(sorted(labels.items()))))


def paths(samples, name):
    return {dict(labels)["path"] for found, labels in samples if found == name}


def is_running(folder, path, life):
    return any((place["path"], place["life"], place["state"]) == (path, life, "running")
               for place in folder.ask("status", "--json"))


@fact
def every_actor_has_its_series(folder):
    folder.start(TREE)
    samples = metrics(folder)
    everybody = {"/", "/c", "/far", "/risky", "/jobs", "/jobs/a", "/jobs/b"}
    for name in ("bough_actor_info", "bough_actor_restarts_total", "bough_actor_uptime_seconds",
                 "bough_mailbox_messages", "bough_mailbox_capacity", "bough_mailbox_dropped_total",
                 "bough_messages_total", "bough_messages_quarantined"):
        same(paths(samples, name), everybody, name)
    same(value(samples, "bough_actor_info", path="/risky", type="faulty", restart="permanent",
               isolation="process"), 1)
    states = ["starting", "running", "stopping", "restarting", "stopped", "failed"]
    same([value(samples, "bough_actor_state", path="/c", state=state) for state in states],
         [0, 1, 0, 0, 0, 0])
    same([value(samples, "bough_actors", state=state) for state in states], [0, 7, 0, 0, 0, 0])
    same(value(samples, "bough_mailbox_capacity", path="/c"), 1024)


@fact
def the_tree_and_bough_itself_have_theirs(folder):
    tree = folder.start(TREE)
    version = folder.bough("version").stdout.split()[1]
    samples = metrics(folder)
    same(value(samples, "bough_build_info", version=version), 1)
    same(value(samples, "bough_tree_info", name="measured"), 1)
    same(value(samples, "bough_loops"), 2)
    same(value(samples, "bough_events_total"), len(tree.events()))
    assert value(samples, "process_resident_memory_bytes") > 1 << 20
    assert value(samples, "process_virtual_memory_bytes") > 1 << 20
    assert value(samples, "process_cpu_seconds_total") >= 0
    assert 0 < value(samples, "process_open_fds") < value(samples, "process_max_fds")
    assert abs(value(samples, "process_start_time_seconds") - os.stat(tree.log).st_ctime) < 3600


@fact
def prometheus_finds_nothing_wrong_with_it(folder):
    promtool = shutil.which("promtool")
    if promtool is None:
        raise Skip("no promtool")
    folder.start(TREE)
    folder.bough("metrics")
    folder.bough("call", "/c", "increment")
    folder.bough("kill", "/jobs/a")
    done = subprocess.run([promtool, "check", "metrics"], input=folder.bough("metrics").stdout,
                          capture_output=True, text=True, timeout=60)
    same((done.returncode, done.stdout + done.stderr), (0, ""))


@fact
def ends_are_counted_by_reason_and_restarts_with_them(folder):
    folder.start(TREE)
    folder.bough("kill", "/c")
    folder.bough("kill", "/c", "--reason", "kill")
    folder.bough("kill", "/risky", "--reason", "signal:KILL")
    until(lambda: is_running(folder, "/c", 3) and is_running(folder, "/risky", 2), "restarts")
    samples = metrics(folder)
    same(value(samples, "bough_actor_exits_total", path="/c", reason="error"), 1)
    same(value(samples, "bough_actor_exits_total", path="/c", reason="killed"), 1)
    same(value(samples, "bough_actor_exits_total", path="/risky", reason="signal"), 1)
    same(value(samples, "bough_actor_exits_total", path="/far", reason="error"), None)
    same(value(samples, "bough_actor_restarts_total", path="/c"), 2)


@fact
def counters_go_on_over_restarts_also_of_what_is_above(folder):
    folder.start(TREE)
    before = metrics(folder)
    for life in range(2, 5):
        folder.bough("call", "/jobs/a", "increment")
        folder.bough("call", "/risky", "count")
        folder.bough("kill", "/jobs/a")
        folder.bough("kill", "/risky", "--reason", "signal:KILL")
        until(lambda: is_running(folder, "/risky", life), "its next life")
        folder.bough("kill", "/jobs")
        until(lambda: is_running(folder, "/jobs", life) and
              any(place["path"] == "/jobs/b" and place["state"] == "running"
                  for place in folder.ask("status", "--json")), "all again")
        after = metrics(folder)
        for key, number in before.items():
            if key[0].endswith(("_total", "_bucket", "_count", "_sum")):
                assert key in after and after[key] >= number, key
        before = after
    same(value(before, "bough_messages_total", path="/jobs/a"), 3)
    same(value(before, "bough_messages_total", path="/risky"), 3)
    same(value(before, "bough_call_duration_seconds_count", path="/jobs/a"), 3)
    assert value(before, "bough_actor_restarts_total", path="/jobs/a") >= 3


@fact
def series_go_with_their_actor(folder):
    folder.start(TREE)
    metrics(folder)
    folder.bough("call", "/c", "increment")
    folder.bough("kill", "/c")
    until(lambda: is_running(folder, "/c", 2), "a restart")
    assert value(metrics(folder), "bough_actor_exits_total", path="/c", reason="error") == 1
    folder.bough("stop", "/c", "--wait")
    stopped = metrics(folder)
    same(value(stopped, "bough_actor_state", path="/c", state="stopped"), 1)
    same(value(stopped, "bough_messages_total", path="/c"), 1)
    folder.bough("call", "/", "delete_child", '{"name": "c"}')
    assert not [key for key in metrics(folder) if ("path", "/c") in key[1]]


@fact
def calls_are_measured_from_the_first_look_on(folder):
    tree = folder.start(TREE)
    folder.bough("call", "/c", "increment")
    same(paths(metrics(folder), "bough_call_duration_seconds_count"), set())
    for path in ("/c", "/c", "/far", "/risky"):
        message = ["echo", '{"text": "x", "delay": "20ms"}'] if path == "/risky" \
            else ["increment"]
        folder.bough("call", path, *message)
    code, _ = tree.request("POST", "/v1/actors/risky/call", {
        "message": "echo", "fields": {"text": "x", "delay": "5s"}, "timeout": "10ms"})
    same(code, 504)
    samples = metrics(folder)
    same({path: value(samples, "bough_call_duration_seconds_count", path=path)
          for path in ("/c", "/far", "/risky")}, {"/c": 2, "/far": 1, "/risky": 2})
    assert 0.025 <= value(samples, "bough_call_duration_seconds_sum", path="/risky") < 60
    buckets = [(float(dict(labels)["le"]), number) for (name, labels), number in samples.items()
               if name == "bough_call_duration_seconds_bucket" and ("path", "/risky") in labels]
    same(len(buckets), 15)
    same(buckets, sorted(buckets))
    same([number for _, number in buckets], sorted(number for _, number in buckets))
    same(buckets[0], (1e-6, 0))
    same(buckets[-1], (float("inf"), 2))


@fact
def what_processes_use_is_counted_over_their_lives(folder):
    folder.start({"name": "used", "intensity": 100, "children": [
        child("spin", "command", options={"run": SPIN}), child("c", "counter")]})

    def used():
        return value(metrics(folder), "bough_process_cpu_seconds_total", path="/spin") or 0

    until(lambda: used() > 0.01, "it has used some time")
    first = used()
    samples = metrics(folder)
    assert value(samples, "bough_process_resident_memory_bytes", path="/spin") > 4096
    started = value(samples, "bough_process_start_time_seconds", path="/spin")
    assert started >= value(samples, "process_start_time_seconds")
    same(paths(samples, "bough_process_resident_memory_bytes"), {"/spin"})
    folder.bough("kill", "/spin")
    until(lambda: is_running(folder, "/spin", 2), "its next life")
    assert used() >= first
    until(lambda: used() > first + 0.01, "the next life's time is added")


@fact
def a_whole_tree_is_printed_in_pieces(folder):
    children = [child(f"n{number}", "counter") for number in range(1000)]
    folder.start({"name": "large", "children": children})
    samples = metrics(folder)
    same(len(paths(samples, "bough_actor_state")), 1001)
    same(len(paths(samples, "bough_messages_total")), 1001)


@fact
def it_is_one_resource_of_the_control_socket(folder):
    tree = folder.start(TREE)
    code, text = exchange(tree.socket(), "GET", "/v1/metrics")
    same(code, 200)
    parse(text)
    same(tree.request("POST", "/v1/metrics", b"{}")[0], 405)
    same(exchange(tree.socket(), "HEAD", "/v1/metrics"), (200, ""))
    contains(folder.bough("metrics", "--name", "nobody", code=6).stderr, "nobody")
    tree.signal(signal.SIGTERM)
    same(tree.wait(), 0)


main()
