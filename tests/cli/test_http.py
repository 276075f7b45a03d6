#!/usr/bin/env python3
"""The control socket from outside: routes, errors, and whatever a client may throw at it.

SPDX-License-Identifier: MIT
"""

import random
import time

from bough_cli import (Skip, child, connect, contains, exchange, fact, head_of, json, main, os,
                       parse_response, read_all, request, same, socket, subprocess, until)

TREE = {"name": "web", "intensity": 1000, "children": [
    child("c", "counter"), child("s", "kv"),
    child("w", "worker", shutdown="brutal-kill",
          options={"run": ["sleep", "1000"], "timeout": "infinity"})]}


@fact
def the_tree_is_nested(folder):
    tree = folder.start(TREE)
    code, answer = tree.request("GET", "/v1/tree")
    same(code, 200)
    same((answer["name"], answer["pid"], answer["control"]), ("web", tree.pid, tree.socket()))
    same([place["name"] for place in answer["root"]["children"]], ["c", "s", "w"])
    same(answer["root"]["children"][0]["state"], "running")


@fact
def actors_are_listed_under_their_path(folder):
    tree = folder.start(TREE)
    for path in ("/v1/actors", "/v1/actors/"):
        same([place["path"] for place in tree.request("GET", path)[1]],
             ["/", "/c", "/s", "/w"])
    same([place["path"] for place in tree.request("GET", "/v1/actors/c")[1]], ["/c"])


@fact
def types_and_schema_come_over_http_too(folder):
    tree = folder.start(TREE)
    same(tree.request("GET", "/v1/types")[1], folder.ask("types", "--json"))
    same(tree.request("GET", "/v1/schema")[1], folder.ask("schema"))


@fact
def an_actor_may_be_called_like_an_action(folder):
    tree = folder.start({"name": "names", "children": [child("call", "counter"),
                                                      child("v1", "counter")]})
    body = {"message": "increment"}
    same(tree.request("POST", "/v1/actors/call/call", body), (200, {"count": 1}))
    same(tree.request("POST", "/v1/actors/v1/call", body), (200, {"count": 1}))
    same(tree.request("POST", "/v1/actors/call", {"message": "count_children"})[1]["specs"], 2)


@fact
def each_wrong_request_has_its_code_and_sentence(folder):
    tree = folder.start(TREE)
    long = "/v1/actors/" + "x" * 2000
    call = "/v1/actors/c/call"
    for method, path, body, code, status, part in (
            ("GET", "/", None, 404, "not_found", "no such resource"),
            ("GET", "/v1/actorsx", None, 404, "not_found", "no such resource"),
            ("GET", "/v1/actors/x", None, 404, "not_found", "no actor at this path"),
            ("GET", "/v1/actors/%00", None, 200, None, None),
            ("GET", "/v1/actors/../c", None, 404, "not_found", "no actor"),
            ("GET", "/v1/actors/c%2fd", None, 404, "not_found", "no actor"),
            ("GET", long, None, 404, "not_found", "no actor"),
            ("POST", long + "/call", b"{}", 404, "not_found", "no actor"),
            ("DELETE", "/v1/actors/c", None, 405, "invalid", "DELETE is not allowed"),
            ("POST", "/v1/tree", b"{}", 405, "invalid", "GET is"),
            ("GET", "/v1/shutdown", None, 405, "invalid", "POST is"),
            ("POST", "/v1/actors", b"{}", 405, "invalid", ""),
            ("POST", "/v1/actors/c/explode", b"{}", 404, "not_found", "call, send, kill, start"),
            ("POST", call, b"", 400, "invalid", '"message" is missing'),
            ("POST", call, b"{", 400, "invalid", "not JSON"),
            ("POST", call, b"[1]", 400, "invalid", "must be an object"),
            ("POST", call, b'"x"', 400, "invalid", ""),
            ("POST", call, b"\xff\xfe", 400, "invalid", "not JSON"),
            ("POST", call, b'{"message": "increment", "message": "reset"}', 400, "invalid",
             "duplicate"),
            ("POST", call, {"mesage": "increment"}, 400, "invalid", 'did you mean "message"?'),
            ("POST", call, {"message": 5}, 400, "invalid", '"message" must be a text'),
            ("POST", call, b'{"message": "incre\\u0000ment"}', 400, "invalid",
             '"message" must be a text'),
            ("POST", call, {"message": "increment", "fields": []}, 400, "invalid",
             '"fields" must be an object'),
            ("POST", call, {"message": "increment", "fields": {"amount": "x"}}, 400, "invalid",
             '"amount" must be'),
            ("POST", call, {"message": "increment", "timeout": "5"}, 400, "invalid", "timeout: "),
            ("POST", call, {"message": "increment", "timeout": "0s"}, 400, "invalid",
             "timeout: "),
            ("POST", call, {"message": "increment", "timeout": 5}, 400, "invalid",
             '"timeout" must be a text'),
            ("POST", call, {"message": "increment", "priority": "urgent"}, 400, "invalid",
             '"priority" must be "normal" or "high"'),
            ("POST", call, {"message": "\x1b[31m"}, 400, "invalid", "unknown message"),
            ("POST", "/v1/actors/s/call", {"message": "get", "fields": {"key": "x"}}, 404,
             "not_found", 'no key "x"'),
            ("POST", "/v1/actors/c/kill", {"reason": "boredom"}, 400, "invalid",
             'no reason "boredom"'),
            ("GET", "/v1/events?since=x", None, 400, "invalid", "since"),
            ("GET", "/v1/events?since=99999999999999999999", None, 400, "invalid", "since"),
            ("GET", "/v1/events?follow=2", None, 400, "invalid", "follow")):
        got, answer = tree.request(method, path, body)
        same(got, code, f"{method} {path:.60} {body}")
        if status is not None:
            same(answer["error"]["status"], status, f"{method} {path:.60} {body}")
            contains(answer["error"]["text"], part)
    assert tree.alive()


@fact
def deep_and_large_bodies_are_refused(folder):
    tree = folder.start(TREE)
    deep = b'{"message": "increment", "fields": ' + b'{"a":' * 100000 + b"1" + b"}" * 100001
    same(tree.request("POST", "/v1/actors/c/call", deep)[0], 400)
    with connect(tree.socket()) as peer:
        peer.sendall(head_of("POST", "/v1/actors/c/call", 5 * 1024 * 1024))
        code, text = parse_response(read_all(peer))
    same((code, json.loads(text)["error"]["status"]), (413, "too_large"))
    same(send_chunks(tree, [b"x" * 65536] * 80)[0], 413)
    same(send_chunks(tree, [b'{"message": ', b'"increment"}']), (200, {"count": 1}))
    value = "v" * (3 * 1024 * 1024)
    same(tree.request("POST", "/v1/actors/s/call",
                      {"message": "set", "fields": {"key": "k", "value": value}})[0], 200)
    same(tree.request("POST", "/v1/actors/s/call",
                      {"message": "get", "fields": {"key": "k"}}), (200, {"value": value}))


def send_chunks(tree, chunks):
    """A call whose length is not known before."""
    with connect(tree.socket()) as peer:
        peer.sendall(b"POST /v1/actors/c/call HTTP/1.1\r\nHost: b\r\nConnection: close\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")
        for chunk in chunks:
            peer.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        peer.sendall(b"0\r\n\r\n")
        code, text = parse_response(read_all(peer))
        return code, json.loads(text)


@fact
def nothing_that_is_not_http_kills_the_server(folder):
    tree = folder.start(TREE)
    zoo = (b"", b"\0" * 5000, b"\r\n\r\n", b"GET", b"GET / HTTP/9.9\r\n\r\n",
           b"GET /v1/tree HTTP/1.1\r\n\r\n", b"GET " + b"/x" * 50000 + b" HTTP/1.1\r\n\r\n",
           b"GET /v1/tree HTTP/1.1\r\nHost: b\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
           b"POST /v1/actors/c/call HTTP/1.1\r\nHost: b\r\nContent-Length: -1\r\n\r\n{}",
           b"POST /v1/actors/c/call HTTP/1.1\r\nHost: b\r\nContent-Length: 9x\r\n\r\n{}",
           b"POST /v1/actors/c/call HTTP/1.1\r\nHost: b\r\nContent-Length: 100\r\n\r\n{}",
           b"POST /v1/actors/c/call HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"zz\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100,
           b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    for data in zoo:
        throw(tree, data)
        same(tree.request("GET", "/v1/actors/c")[0], 200, data[:60])
    until(lambda: tree.descriptors() < 40, "the descriptors are closed")


def throw(tree, data):
    """Sends bytes, as far as they are taken, and leaves."""
    with connect(tree.socket()) as peer:
        try:
            peer.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all had come


@fact
def mutated_requests_never_kill_the_server(folder):
    tree = folder.start(TREE)
    seed = int(os.environ.get("BOUGH_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"# seed {seed}", flush=True)
    chance = random.Random(seed)
    body = b'{"message": "increment", "fields": {"amount": 1}, "timeout": "5s"}'
    whole = head_of("POST", "/v1/actors/c/call", len(body)) + body
    rounds = 5000 if os.environ.get("BOUGH_TEST_LONG") else 300
    for _ in range(rounds):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            where = chance.randrange(len(data))
            mutate(chance, data, where)
        throw(tree, bytes(data))
        assert tree.alive(), bytes(data)
    same(tree.request("GET", "/v1/actors/c")[0], 200)


def mutate(chance, data, where):
    kind = chance.randrange(4)
    if kind == 0:
        data[where] = chance.randrange(256)
    elif kind == 1:
        del data[where:where + chance.randrange(1, 8)]
        data += b" "
    elif kind == 2:
        data[where:where] = data[where:where + chance.randrange(1, 16)]
    else:
        data[where:where] = chance.choice([b"\0", b"\r\n", b"{", b'"', b"\\u0000", b"\xff", b"%"])


@fact
def descriptors_do_not_grow_over_many_requests(folder):
    tree = folder.start(TREE)
    for _ in range(20):
        folder.bough("status")
    before = tree.descriptors()
    for turn in range(300):
        same(exchange(tree.socket(), "POST", "/v1/actors/c/call",
                      {"message": "increment"})[0], 200)
        same(exchange(tree.socket(), "GET", "/v1/events")[0], 200)
        same(exchange(tree.socket(), "GET", f"/v1/actors/{turn}")[0], 404)
    until(lambda: tree.descriptors() <= before, "the descriptors are closed")


@fact
def a_stream_tells_each_event_once_and_ends_with_the_tree(folder):
    tree = folder.start(TREE)
    last = tree.events()[-1]["seq"]
    with connect(tree.socket()) as peer:
        peer.sendall(head_of("GET", f"/v1/events?since={last}&follow=1", 0))
        until(lambda: tree.request("POST", "/v1/actors/c/kill")[0] == 202, "a kill")
        tree.wait_event("ready", "/c", last)
        folder.bough("shutdown")
        code, text = parse_response(read_all(peer))
    same(code, 200)
    events = [json.loads(line[len("data: "):]) for line in text.splitlines()
              if line.startswith("data: ")]
    ids = [int(line[len("id: "):]) for line in text.splitlines() if line.startswith("id: ")]
    same(ids, [event["seq"] for event in events])
    same(ids, list(range(last + 1, last + 1 + len(ids))))
    same((events[0]["event"], events[0]["path"]), ("exited", "/c"))
    same((events[-1]["event"], events[-1]["path"]), ("exited", "/"))


@fact
def a_quiet_stream_shows_that_it_is_there(folder):
    if not os.environ.get("BOUGH_TEST_LONG"):
        raise Skip("takes 15 s; with BOUGH_TEST_LONG=1")
    tree = folder.start(TREE)
    with connect(tree.socket()) as peer:
        peer.sendall(head_of("GET", "/v1/events?follow=1&since=1000", 0))
        data = b""
        while b": still here" not in data:
            piece = peer.recv(65536)
            assert piece, data
            data += piece


def wakes(tree):
    """How often it has slept so far."""
    with open(f"/proc/{tree.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("voluntary_"))


@fact
def a_tree_with_nothing_to_do_does_not_wake(folder):
    if not os.environ.get("BOUGH_TEST_LONG"):
        raise Skip("takes 16 s; with BOUGH_TEST_LONG=1")
    tree = folder.start({"name": "idle", "children": [child("c", "counter"), child("s", "kv")]})
    folder.bough("call", "/s", "set", '{"key": "a", "value": "1", "ttl": "1h"}')
    before, end = wakes(tree), time.monotonic() + 16
    until(lambda: time.monotonic() > end, "16 s have passed")
    assert wakes(tree) - before < 10, wakes(tree) - before


@fact
def a_follower_that_leaves_is_noticed(folder):
    tree = folder.start(TREE)
    before = tree.descriptors()
    peers = [connect(tree.socket()) for _ in range(20)]
    for peer in peers:
        peer.sendall(head_of("GET", "/v1/events?follow=1", 0))
        peer.recv(1)
    assert tree.descriptors() > 20
    for peer in peers:
        peer.close()
    until(lambda: tree.descriptors() <= before + 1, "their descriptors are closed")


@fact
def a_stream_that_nobody_reads_does_not_hold_up_the_tree(folder):
    tree = folder.start(TREE)
    with connect(tree.socket()) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(head_of("GET", "/v1/events?follow=1", 0))
        for _ in range(900):
            request(tree.socket(), "POST", "/v1/actors/c/kill")
        until(lambda: tree.request("POST", "/v1/actors/c/call", {"message": "get_count"}) ==
              (200, {"count": 0}), "the counter answers")

@fact
def the_history_keeps_the_last_ten_thousand_events(folder):
    tree = folder.start({"name": "busy", "intensity": 1000000, "children": [
        child("c", "counter")]})
    body = json.dumps({"reason": "normal"}).encode()
    request_text = (f"POST /v1/actors/c/kill HTTP/1.1\r\nHost: b\r\nContent-Length: {len(body)}"
                    "\r\n\r\n").encode() + body
    with connect(tree.socket()) as peer:  # four events for each end
        for _ in range(2600):
            peer.sendall(request_text)
            data = b""
            while not data.endswith(b"}"):
                data += peer.recv(65536)
    tree.wait_event("ready", "/c", tree.events()[-1]["seq"] - 4)
    events = tree.events()
    assert events[-1]["seq"] > 10000, events[-1]
    same(len(events), 10000)
    same([event["seq"] for event in events],
         list(range(events[-1]["seq"] - 9999, events[-1]["seq"] + 1)))


@fact
def curl_speaks_to_it(folder):
    tree = folder.start(TREE)
    try:
        done = subprocess.run(["curl", "--silent", "--unix-socket", tree.socket(),
                               "http://bough/v1/actors/c"], capture_output=True, text=True)
    except FileNotFoundError:
        raise Skip("no curl here") from None
    same(json.loads(done.stdout)[0]["path"], "/c")


if __name__ == "__main__":
    main()
