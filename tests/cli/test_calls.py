#!/usr/bin/env python3
"""Ten thousand calls in flight at once: each answered once, those too many refused.

SPDX-License-Identifier: MIT
"""

import errno
import resource
import select
import time

from bough_cli import (LIMIT, child, contains, fact, head_of, json, main, os, parse_response,
                       request, same, signal, socket, until)

CALLS = 10000
SPARE = 256  # descriptors besides the calls', on both sides


def calls_possible():
    """How many calls the limits of this machine allow, CALLS if they do."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return CALLS if hard == resource.RLIM_INFINITY else min(CALLS, hard - 2 * SPARE)


class Call:
    """One request on a socket that never blocks."""

    def __init__(self, data):
        self.out = data
        self.got = b""
        self.peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.peer.setblocking(False)

    def send(self):
        """Sends what it can; whether all is sent."""
        try:
            self.out = self.out[self.peer.send(self.out):]
        except BlockingIOError:
            pass
        return not self.out

    def receive(self):
        """Receives what is there; whether the answer is complete."""
        while True:
            try:
                piece = self.peer.recv(65536)
            except BlockingIOError:
                return False
            if not piece:
                return True
            self.got += piece

    def answer(self):
        code, text = parse_response(self.got)
        return code, json.loads(text)


class Calls:
    """Many calls at once, each over a connection of its own."""

    def __init__(self, path, bodies):
        self.epoll = select.epoll()
        self.path = path
        self.waiting = {}
        self.done = []
        for action, body in bodies:
            data = json.dumps(body).encode()
            self.begin(Call(head_of("POST", action, len(data)) + data))

    def begin(self, call):
        end = time.monotonic() + LIMIT
        while (error := call.peer.connect_ex(self.path)) == errno.EAGAIN:
            assert time.monotonic() < end, "the queue of callers stays full"
            self.turn(0.001)
        assert error == 0, os.strerror(error)
        self.waiting[call.peer.fileno()] = call
        sent = call.send()
        self.epoll.register(call.peer, select.EPOLLIN | (0 if sent else select.EPOLLOUT))

    def turn(self, timeout):
        for fd, events in self.epoll.poll(timeout):
            call = self.waiting[fd]
            if events & select.EPOLLOUT and call.send():
                self.epoll.modify(fd, select.EPOLLIN)
            if events & (select.EPOLLIN | select.EPOLLHUP) and call.receive():
                self.epoll.unregister(fd)
                call.peer.close()
                del self.waiting[fd]
                self.done.append(call.answer())

    def finish(self):
        """Waits for all answers; their codes, counted, and all of them."""
        end = time.monotonic() + LIMIT
        while self.waiting:
            assert time.monotonic() < end, f"{len(self.waiting)} calls without an answer"
            self.turn(0.1)
        codes = {}
        for code, _ in self.done:
            codes[code] = codes.get(code, 0) + 1
        return codes, self.done

    def leave(self):
        """Closes all connections without waiting."""
        for call in self.waiting.values():
            call.peer.close()
        self.waiting = {}


def mailbox(folder, path):
    return folder.ask("status", path, "--json")[0]["mailbox"]


@fact
def each_of_many_calls_is_answered_once(folder):
    count = calls_possible()
    tree = folder.start({"name": "many", "children": [
        child("c", "counter", mailbox={"capacity": count})]})
    body = {"message": "increment"}
    codes, answers = Calls(tree.socket(), [("/v1/actors/c/call", body)] * count).finish()
    same(codes, {200: count})
    same(sorted(answer["count"] for _, answer in answers), list(range(1, count + 1)))


@fact
def all_in_flight_at_once_those_over_the_capacity_are_refused_and_none_is_lost(folder):
    count = calls_possible()
    capacity = count // 4
    gate = folder.path / "gate"
    os.mkfifo(gate)
    tree = folder.start({"name": "gated", "children": [
        child("w", "worker", mailbox={"capacity": capacity}, shutdown="brutal-kill",
              options={"run": ["cat", str(gate)], "timeout": "infinity"})]})
    body = {"message": "do_work", "fields": {"work_id": "a"}, "timeout": "infinity"}
    calls = Calls(tree.socket(), [("/v1/actors/w/call", body)] * count)
    refused = count - capacity - 1  # one runs, `capacity` wait
    end = time.monotonic() + LIMIT
    while len(calls.done) < refused:
        assert time.monotonic() < end, f"{len(calls.done)} of {refused} refused"
        calls.turn(0.1)
    same({(code, answer["error"]["status"]) for code, answer in calls.done}, {(503, "full")})
    same(len(calls.waiting), capacity + 1)
    same(mailbox(folder, "/w")["length"], capacity)
    tree.signal(signal.SIGTERM)  # ends the worker: nobody is left without an answer
    codes, answers = calls.finish()
    same(sum(codes.values()), count)
    same(codes[503], refused)
    ends = {answer["error"]["status"] for code, answer in answers if code != 503}
    assert ends <= {"gone", "crashed"}, ends
    same(tree.wait(), 0)


@fact
def a_crash_answers_its_caller_and_keeps_those_that_wait(folder):
    tree = folder.start({"name": "crash", "children": [
        child("w", "worker", shutdown="brutal-kill",
              options={"run": ["sh", "-c", "read -r line; exec $line"],
                       "timeout": "infinity"})]})
    bodies = [{"message": "do_work", "fields": {"work_id": "stuck", "input": "sleep 31536000\n"}}]
    bodies += [{"message": "do_work", "fields": {"work_id": f"w{i}", "input": "echo done\n"}}
               for i in range(5)]
    calls = Calls(tree.socket(), [("/v1/actors/w/call", body) for body in bodies])
    until(lambda: mailbox(folder, "/w")["length"] == 5, "the others wait")
    folder.bough("kill", "/w")
    _, answers = calls.finish()
    same([(code, answer["error"]["status"]) for code, answer in answers if code != 200],
         [(502, "crashed")])
    same(sorted(answer["work_id"] for code, answer in answers if code == 200),
         [f"w{i}" for i in range(5)])


@fact
def a_client_that_leaves_takes_its_calls_back(folder):
    tree = folder.start({"name": "left", "children": [
        child("w", "worker", shutdown="brutal-kill",
              options={"run": ["sleep", "1000"], "timeout": "infinity"})]})
    folder.bough("status")
    before = tree.descriptors()
    body = {"message": "do_work", "fields": {"work_id": "a"}, "timeout": "infinity"}
    calls = Calls(tree.socket(), [("/v1/actors/w/call", body)] * 200)
    until(lambda: mailbox(folder, "/w")["length"] == 199, "all wait")
    calls.leave()
    until(lambda: tree.descriptors() <= before + 8, "their descriptors are closed")
    same(request(tree.socket(), "GET", "/v1/tree")[0], 200)


@fact
def a_client_that_only_stops_sending_still_gets_its_answer(folder):
    tree = folder.start({"name": "half", "children": [
        child("w", "worker", options={"run": ["sh", "-c", "cat; cat gate"]})]})
    os.mkfifo(folder.path / "gate")
    body = {"message": "do_work", "fields": {"work_id": "a", "input": "x"}}
    calls = Calls(tree.socket(), [("/v1/actors/w/call", body)])
    next(iter(calls.waiting.values())).peer.shutdown(socket.SHUT_WR)
    until(lambda: mailbox(folder, "/w")["length"] == 0 and "job started" in tree.said(),
          "the job runs")
    with open(folder.path / "gate", "w") as gate:
        gate.write("y")
    _, answers = calls.finish()
    same([(code, answer.get("output")) for code, answer in answers], [(200, "xy")])


@fact
def one_connection_asks_again_and_again(folder):
    tree = folder.start({"name": "again", "children": [child("c", "counter")]})
    body = b'{"message": "increment"}'
    head = (f"POST /v1/actors/c/call HTTP/1.1\r\nHost: b\r\nContent-Length: {len(body)}"
            "\r\n\r\n").encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(LIMIT)
        peer.connect(tree.socket())
        peer.sendall((head + body) * 100)
        data = b""
        while data.count(b'{"count":') < 100 or not data.endswith(b"}"):
            piece = peer.recv(65536)
            assert piece, "the connection was closed"
            data += piece
    contains(data.decode(), '{"count":1}', '{"count":100}')
    same(folder.ask("call", "/c", "get_count"), {"count": 100})


if __name__ == "__main__":
    main()
