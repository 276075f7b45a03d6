#!/usr/bin/env python3
"""The port of metrics: what it answers, to whom, and that nothing else is to be had there.

SPDX-License-Identifier: MIT
"""

import re

from bough_cli import (LIMIT, Skip, child, contains, exchange, fact, head_of, json, main,
                       parse_response, read_all, same, signal, socket, until)

TREE = {"name": "shown", "metrics": "127.0.0.1:0", "intensity": 100,
        "children": [child("c", "counter")]}


def endpoint(tree):
    """Where it says that metrics are: a host and a port."""
    match = re.search(r"metrics at http://(\S+):(\d+)/metrics\n", tree.said())
    assert match is not None, tree.said()
    return match[1].strip("[]"), int(match[2])


def reach(tree):
    return socket.create_connection(endpoint(tree), timeout=LIMIT)


def ask(tree, method, resource, body=b""):
    """The head, the code and the text of one exchange."""
    with reach(tree) as peer:
        peer.sendall(head_of(method, resource, len(body)) + body)
        data = read_all(peer)
    code, text = parse_response(data)
    return data.partition(b"\r\n\r\n")[0].decode(), code, text


@fact
def metrics_are_served_over_http(folder):
    tree = folder.start(TREE)
    head, code, text = ask(tree, "GET", "/metrics")
    same(code, 200)
    contains(head, "Content-Type: text/plain; version=0.0.4; charset=utf-8")
    contains(text, 'bough_actor_state{path="/c",state="running"} 1\n')
    names = re.findall("^# TYPE .*$", text, re.MULTILINE)
    same(names, re.findall("^# TYPE .*$", folder.bough("metrics").stdout, re.MULTILINE))
    same(ask(tree, "GET", "/v1/metrics")[1], 200)
    same(ask(tree, "HEAD", "/metrics")[1:], (200, ""))
    same(endpoint(tree)[0], "127.0.0.1")


@fact
def nothing_else_is_to_be_had_there(folder):
    tree = folder.start(TREE)
    for method, resource in (("GET", "/"), ("GET", "/v1/tree"), ("GET", "/metrics/"),
                             ("GET", "/v1/actors/c"), ("GET", "/v1/events?follow=1"),
                             ("POST", "/v1/shutdown"), ("POST", "/v1/actors/c/kill"),
                             ("GET", "/../v1/tree"), ("GET", "//metrics")):
        same(ask(tree, method, resource, b"{}" if method == "POST" else b"")[1:],
             (404, "there is /metrics alone here\n"), resource)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "STRANGE"):
        head, code, text = ask(tree, method, "/metrics", b"x" * 100000)
        same((code, text), (405, "GET and HEAD are allowed here, and nothing else\n"), method)
        contains(head, "Allow: GET, HEAD")
    same(folder.ask("status", "/c", "--json")[0]["life"], 1)
    assert tree.alive()


@fact
def calls_are_measured_from_the_start(folder):
    tree = folder.start(TREE)
    folder.bough("call", "/c", "increment")
    contains(ask(tree, "GET", "/metrics")[2], 'bough_call_duration_seconds_count{path="/c"} 1\n')


@fact
def the_command_line_goes_before_the_file(folder):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        raise Skip(f"no ::1 here: {error}") from error
    tree = folder.start({**TREE, "metrics": "203.0.113.1:1"}, "--metrics", "[::1]:0")
    same(endpoint(tree)[0], "::1")
    same(ask(tree, "GET", "/metrics")[1], 200)


@fact
def a_port_alone_is_of_this_machine(folder):
    tree = folder.start({**TREE, "metrics": "0"})
    same(endpoint(tree)[0], "127.0.0.1")
    other = folder.start({**TREE, "name": "told", "metrics": "0.0.0.0:0"})
    same(endpoint(other)[0], "0.0.0.0")


@fact
def what_is_wrong_with_it_is_said(folder):
    tree = folder.start(TREE)
    port = endpoint(tree)[1]
    file = folder.write("two.json", {**TREE, "name": "two"})
    wrong = folder.bough("run", "--metrics", "web:80", file, code=2)
    contains(wrong.stderr, 'run: --metrics: "web:80" is no address to listen at', '"9464"',
             '"0.0.0.0:9464"')
    used = folder.bough("run", "--metrics", str(port), file, code=1)
    contains(used.stderr, f"two: cannot serve metrics at 127.0.0.1:{port}: the port is in use",
             '"metrics" in the file and --metrics')
    away = folder.bough("run", "--metrics", "203.0.113.1:9464", file, code=1)
    contains(away.stderr, "no network interface has this address")
    same(folder.bough("check", file).stderr, "")
    file = folder.write("three.json", {**TREE, "metrics": "203.0.113.1:9464"})
    contains(folder.bough("check", file).stdout, "cannot start here: /: cannot serve metrics")
    same(folder.ask("check", "--json", file)["obstacles"][0]["path"], "/")
    file = folder.write("four.json", {**TREE, "metrics": 9464})
    contains(folder.bough("check", file, code=78).stderr, '"metrics" must be a string')


@fact
def who_fills_it_with_connections_is_no_trouble_for_the_control_socket(folder):
    tree = folder.start(TREE)
    before = tree.descriptors()
    peers = [reach(tree) for _ in range(24)]
    for peer in peers:
        peer.setblocking(False)
        peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: ")
    same(exchange(tree.socket(), "GET", "/v1/tree")[0], 200)
    assert tree.descriptors() <= before + 20
    for peer in peers:
        peer.close()
    until(lambda: tree.descriptors() <= before, "all are closed")
    same(ask(tree, "GET", "/metrics")[1], 200)
    until(lambda: tree.descriptors() <= before, "this one, too")


@fact
def nonsense_is_answered_or_closed(folder):
    tree = folder.start(TREE)
    for nonsense in (b"\0" * 100, b"GET\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n", b"\x16\x03\x01",
                     b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n",
                     b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 10000 + b"\r\n"):
        with reach(tree) as peer:
            try:
                peer.sendall(nonsense)
                peer.shutdown(socket.SHUT_WR)
                read_all(peer)
            except OSError:
                pass
    same(ask(tree, "GET", "/metrics")[1], 200)
    assert tree.alive()


@fact
def a_reader_that_does_not_read_keeps_nobody_waiting(folder):
    children = [child(f"n{number}", "counter") for number in range(5000)]
    tree = folder.start({**TREE, "children": children})
    with reach(tree) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(head_of("GET", "/metrics", 0))
        slow.recv(1)
        same(json.loads(exchange(tree.socket(), "GET", "/v1/tree")[1])["name"], "shown")
        contains(ask(tree, "GET", "/metrics")[2], '{path="/n4999",')
        tree.signal(signal.SIGTERM)
        same(tree.wait(), 0)


@fact
def it_goes_with_the_tree(folder):
    tree = folder.start(TREE)
    at = endpoint(tree)
    tree.signal(signal.SIGTERM)
    same(tree.wait(), 0)
    try:
        socket.create_connection(at, timeout=LIMIT).close()
        raise AssertionError("somebody listens there")
    except ConnectionRefusedError:
        pass


main()
