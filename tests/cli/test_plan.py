#!/usr/bin/env python3
"""`bough plan`, `bough apply` and SIGHUP: the tree that runs becomes what a file says.

SPDX-License-Identifier: MIT
"""

import re
import socket
import urllib.error
import urllib.request

from bough_cli import (BOUGH, child, contains, fact, main, os, processes, same, signal,
                       subprocess, supervisor, until)

SLEEP = ["sleep", "1000"]


def tree(*children, **more):
    return {"name": "t", "children": list(children), **more}


def command(name, *run, **options):
    return child(name, "command", options={"run": list(run), **options})


def lives(folder):
    return {row["path"]: row["life"] for row in folder.ask("status", "--json")}


def steps(plan):
    return " ".join(step["do"] + step["path"] for step in plan["steps"])


BEFORE = tree(child("a", "counter"), child("b", "counter"),
              supervisor("s", [child("x", "kv"), child("y", "counter")],
                         strategy="rest-for-one"),
              child("old", "counter"))
AFTER = tree(child("a", "counter"), child("new", "kv"),
             child("b", "counter", options={"initial": 7}),
             supervisor("s", [child("x", "kv", mailbox={"capacity": 9}), child("y", "counter")],
                        strategy="rest-for-one", intensity=4), intensity=3)


@fact
def a_plan_changes_nothing_and_an_apply_does_what_it_says(folder):
    tree_ = folder.start(BEFORE)
    new = folder.write("new.json", AFTER)
    folder.bough("call", "/a", "increment")
    plan = folder.ask("plan", new, "--json")
    same(steps(plan), "stop/old stop/s/y stop/s/x stop/b change/ change/s delete/old "
                      "start/new start/b start/s/x start/s/y")
    same([plan[act] for act in ("added", "removed", "restarted", "changed", "kept")],
         [1, 1, 3, 2, 1])
    same(lives(folder), {path: 1 for path in ("/", "/a", "/b", "/s", "/s/x", "/s/y", "/old")})
    before = tree_.events()[-1]["seq"]
    same(folder.ask("apply", new, "--json"), {**plan, "applied": True})
    events = [one["event"] + one["path"] for one in tree_.events() if one["seq"] > before]
    same(events, ["applying/", "stopping/old", "exited/old", "stopping/s/y", "exited/s/y", "stopping/s/x",
                  "exited/s/x", "stopping/b", "exited/b", "removed/old",
                  "started/new", "ready/new", "started/b", "ready/b", "started/s/x",
                  "ready/s/x", "started/s/y", "ready/s/y", "applied/"])
    same(lives(folder), {"/": 1, "/a": 1, "/new": 1, "/b": 2, "/s": 1, "/s/x": 2, "/s/y": 2})
    same(list(lives(folder)), ["/", "/a", "/new", "/b", "/s", "/s/x", "/s/y"])
    same(folder.ask("call", "/a", "get_count"), {"count": 1})
    same(folder.ask("call", "/b", "get_count"), {"count": 7})
    same(folder.ask("status", "/", "--json")[0]["intensity"], 3)
    contains(folder.bough("plan", new).stdout, "nothing to do: 7 kept\n")
    contains(folder.bough("why", "/b").stdout, "/b is in life 2: it was started by an apply at ")
    folder.bough("restart", "/b", "--wait")
    contains(folder.bough("why", "/b").stdout, "/b is in life 3: it was started by hand at ")
    contains(folder.bough("events").stdout,
             "/ applied life 1: 1 added, 1 removed, 3 restarted, 2 changed, 1 kept")


@fact
def a_plan_says_what_has_changed_and_why(folder):
    folder.start(BEFORE)
    same(folder.bough("plan", folder.write("new.json", AFTER)).stdout, """\
stopped, in this order:
  - /old  removed
  ~ /s/y  restarted, since /s/x is, by its supervisor's strategy
  ~ /s/x  restarted
      mailbox.capacity: 1024 -> 9
  ~ /b  restarted
      options.initial: 0 -> 7
changed without a restart:
  = /  changed
      intensity: 1 -> 3
  = /s  changed
      intensity: 1 -> 4
started, each once the one before is ready:
  + /new  added (kv)
  ~ /b  restarted
  ~ /s/x  restarted
  ~ /s/y  restarted, since /s/x is, by its supervisor's strategy
1 added, 1 removed, 3 restarted, 2 changed, 1 kept
""")


@fact
def exit_codes_are_for_scripts(folder):
    old, new = folder.write("t.json", BEFORE), folder.write("new.json", AFTER)
    bad = folder.write("bad.json", tree(child("a", "conter")))
    detailed = "--detailed-exitcode"
    folder.bough("plan", new, code=6)
    folder.bough("apply", new, code=6)
    folder.start(old)
    folder.bough("plan", new)
    folder.bough("plan", new, detailed, code=3)
    folder.bough("plan", old, detailed)
    folder.bough("plan", old, new, detailed, code=3)
    folder.bough("plan", new, new, detailed)
    for verb in ("plan", "apply"):
        contains(folder.bough(verb, bad, code=78).stderr, 'bad.json:1:',
                 'unknown type "conter"; did you mean "counter"?')
        contains(folder.bough(verb, "nowhere.json", code=78).stderr, "nowhere.json")
        folder.bough(verb, code=2)
    folder.bough("apply", "--timeout", "soon", new, code=2)
    same(lives(folder)["/old"], 1)


@fact
def values_of_the_environment_are_shown_nowhere(folder):
    env = {"KEY": "geheim-1", "GONE": "geheim-2", "SAME": "geheim-3"}
    running = folder.start(tree(command("c", *SLEEP, env=env)))
    new = folder.write("new.json", tree(command(
        "c", *SLEEP, env={"KEY": "geheim-4", "MORE": "geheim-5", "SAME": "geheim-3"})))
    said = folder.bough("plan", new).stdout + folder.bough("plan", new, "--json").stdout
    contains(said, "options.env.KEY: changed, and not shown",
             "options.env.GONE: removed, and not shown",
             "options.env.MORE: added, and not shown")
    said += folder.bough("apply", new).stdout + folder.bough("events").stdout + running.said()
    assert "geheim" not in said, said
    assert "SAME" not in said, said
    contains(said, "apply: /c is restarted: options.env.KEY")


@fact
def a_shell_command_that_changes_is_replaced_and_others_live_on(folder):
    folder.start(tree(command("one", "sleep", "1001"), command("two", "sleep", "1002")))
    pids = {row["path"]: row["pid"] for row in folder.ask("status", "--json")}
    new = folder.write("new.json", tree(command("one", "sleep", "1003"),
                                        command("two", "sleep", "1002")))
    folder.bough("apply", new)
    after = {row["path"]: row["pid"] for row in folder.ask("status", "--json")}
    same(after["/two"], pids["/two"])
    assert after["/one"] != pids["/one"]
    assert not os.path.exists(f"/proc/{pids['/one']}")


# Going back


def never_ready(name):
    return command(name, *SLEEP, ready={"log": "never said"})


@fact
def what_is_not_ready_in_time_is_taken_back(folder):
    running = folder.start(tree(child("a", "counter"), command("c", "sleep", "2001")))
    new = folder.write("new.json", tree(never_ready("slow"), child("a", "counter"),
                                        command("c", "sleep", "2002")))
    text = ("/slow was not ready within the 300ms that all that is started may take; the tree "
            "is again what it was")
    same(folder.bough("apply", "--timeout", "300ms", new, code=7).stderr,
         f"bough: timeout: {text}\n")
    same(lives(folder), {"/": 1, "/a": 1, "/c": 2})
    contains(folder.bough("plan", running.folder.path / "t.json").stdout, "nothing to do")
    failed = running.wait_event("apply_failed", "/")
    same([failed["reason"], failed["status"]], ["error", "timeout"])
    contains(running.said(), f"is not applied: {text}")
    until(lambda: not processes("sleep 2002"), "the new one is gone")
    same(len(processes("sleep 2001")), 1)


@fact
def what_does_not_start_is_taken_back_with_the_reason(folder):
    folder.start(tree(child("a", "counter"), command("c", *SLEEP)))
    new = folder.write("new.json", tree(command("c", "no-such-program"), child("d", "kv")))
    answer = folder.ask("apply", "--json", new, code=1)["error"]
    same([answer["status"], answer["went_back"]], ["failed", True])
    contains(answer["text"], '/c did not start', 'program "no-such-program" was not found',
             "; the tree is again what it was")
    same(lives(folder), {"/": 1, "/a": 1, "/c": 3})


@fact
def a_second_apply_is_refused_meanwhile(folder):
    running = folder.start(tree(child("a", "counter")))
    new = folder.write("new.json", tree(child("a", "counter"), never_ready("slow")))
    first = subprocess.Popen([BOUGH, "apply", "--timeout", "1s", new], env=folder.env,
                             stderr=subprocess.PIPE, text=True)
    running.wait_event("started", "/slow")
    contains(folder.bough("apply", running.folder.path / "t.json", code=1).stderr,
             f"bough: running: {new} is being applied; wait until that is over")
    contains(folder.bough("plan", running.folder.path / "t.json").stdout, "- /slow  removed")
    running.signal(signal.SIGHUP)
    until(lambda: "t.json is not applied: " in running.said(), "the signal is refused")
    contains(first.communicate()[1], "/slow was not ready")
    same(first.returncode, 7)
    same(lives(folder), {"/": 1, "/a": 1})


@fact
def a_client_that_leaves_does_not_end_the_apply(folder):
    running = folder.start(tree(child("a", "counter")))
    new = folder.write("new.json", tree(
        child("a", "counter"),
        command("slow", "sh", "-c", "until [ -e go ]; do sleep 0.02; done; echo ok; "
                "exec sleep 1000", cwd=".", ready={"log": "ok"})))
    first = subprocess.Popen([BOUGH, "apply", new], env=folder.env)
    running.wait_event("started", "/slow")
    first.kill()
    first.wait()
    folder.write("go", "")
    running.wait_event("applied", "/")
    same(lives(folder), {"/": 1, "/a": 1, "/slow": 1})


@fact
def a_shutdown_meanwhile_wins(folder):
    running = folder.start(tree(child("a", "counter")))
    new = folder.write("new.json", tree(child("a", "counter"), never_ready("slow")))
    first = subprocess.Popen([BOUGH, "apply", new], env=folder.env, stderr=subprocess.PIPE,
                             text=True)
    running.wait_event("started", "/slow")
    folder.bough("shutdown")
    same(running.wait(), 0)
    contains(first.communicate()[1], "bough: cancelled: the tree ends")
    same(first.returncode, 1)


# SIGHUP


@fact
def sighup_applies_the_file_again(folder):
    file = folder.write("t.json", tree(child("a", "counter"), child("b", "counter")))
    running = folder.start(file)
    folder.write("t.json", tree(child("a", "counter"), child("c", "counter")))
    running.signal(signal.SIGHUP)
    same(running.wait_event("applied", "/")["detail"], "1 added, 1 removed, 2 kept")
    same(lives(folder), {"/": 1, "/a": 1, "/c": 1})
    contains(running.said(), "/: apply: /c is added", "/: apply: /b is removed",
             "t.json is applied: 1 added, 1 removed, 2 kept")


@fact
def a_broken_file_changes_nothing_and_all_its_errors_are_logged(folder):
    file = folder.write("t.json", tree(child("a", "counter")))
    running = folder.start(file)
    folder.write("t.json", '{ "name": "t",\n  "children": [ { "name": "a", "type": "conter" },\n'
                           '    { "name": "b", "type": "kv", "restrat": "permanent" } ] }')
    running.signal(signal.SIGHUP)
    failed = running.wait_event("apply_failed", "/")
    contains(failed["detail"], "t.json has 2 errors; nothing was changed")
    until(lambda: '"restart"?' in running.said(), "the errors are logged")
    contains(running.said(), 't.json:2:40: unknown type "conter"; did you mean "counter"?',
             't.json:3:34: unknown key "restrat"; did you mean "restart"?')
    os.remove(file)
    running.signal(signal.SIGHUP)
    running.wait_event("apply_failed", "/", after=failed["seq"])
    contains(running.said(), "t.json: the file cannot be read: No such file")
    same(lives(folder), {"/": 1, "/a": 1})


@fact
def reports_go_to_another_logger(folder):
    def loggers(which):
        return tree(*(child(name, "logger", options={"file": f"{name}.log"})
                      for name in ("one", "two")), child("a", "counter"), log=which)

    folder.start(loggers("/one"))
    new = folder.write("new.json", loggers("/two"))
    contains(folder.bough("plan", new).stdout,
             'reports go to another logger: "/one" -> "/two"')
    folder.bough("apply", new)
    folder.bough("kill", "/a")
    until(lambda: "/a" in (folder.path / "two.log").read_text(), "the other has it")
    contains(folder.bough("plan", new).stdout, "nothing to do")


def ends_with(name, code):
    """A command that ends so when it is asked to."""
    return child(name, "command", options={
        "run": f"trap 'exit {code}' TERM; echo up; while :; do sleep 0.05; done", "shell": True,
        "ready": {"log": "up"}})


def ports(tree_):
    """Where it has said that metrics are served, in turn."""
    return re.findall(r"metrics at http://127\.0\.0\.1:(\d+)/metrics", tree_.said())


# Nobody else's: a port that is given back may soon be another tree's.
NAME = f"plan-{os.getpid()}"


def serves(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return f'bough_tree_info{{name="{NAME}"}}' in answer.read().decode()
    except (urllib.error.URLError, OSError):
        return False


@fact
def the_program_takes_over_its_port_and_its_exit_code(folder):
    tree_ = folder.start(tree(ends_with("a", 5), name=NAME, metrics="0", exit_with="/a"))
    new = folder.write("new.json", tree(ends_with("a", 5), ends_with("b", 6), name=NAME, metrics="127.0.0.1:0",
                                        exit_with="/b"))
    text = ('bough itself takes over:\n      exit_with: "/a" -> "/b"\n'
            '      metrics: "0" -> "127.0.0.1:0"\n')
    contains(folder.bough("plan", new).stdout, text)
    contains(folder.bough("plan", f"{folder.path}/{NAME}.json", new).stdout, text)
    same(folder.ask("plan", new, "--json")["root"],
         [{"key": "exit_with", "old": "/a", "new": "/b"},
          {"key": "metrics", "old": "0", "new": "127.0.0.1:0"}])
    contains(folder.bough("apply", new).stdout, text)
    contains(folder.bough("plan", new).stdout, "nothing to do")
    first, second = ports(tree_)
    same([serves(first), serves(second)], [False, True])
    without = folder.write("without.json", tree(ends_with("a", 5), ends_with("b", 6),
                                                name=NAME, exit_with="/b"))
    contains(folder.bough("apply", without).stdout, 'metrics: "127.0.0.1:0" -> (none)', "3 kept")
    same(serves(second), False)
    contains(tree_.said(), "metrics are served no more")
    tree_.signal(signal.SIGTERM)
    same(tree_.wait(), 6)


@fact
def the_program_goes_back_to_its_port_and_its_exit_code(folder):
    tree_ = folder.start(tree(ends_with("a", 5), name=NAME, metrics="0", exit_with="/a"))
    breaks = f"until [ -e {folder.path}/break ]; do sleep 0.02; done; exit 1"
    new = folder.write("new.json", tree(ends_with("a", 5), ends_with("b", 6),
                                        command("c", "sh", "-c", breaks, ready={"log": "never said"}),
                                        name=NAME, metrics="127.0.0.1:0", exit_with="/b"))
    applies = subprocess.Popen([BOUGH, "apply", new], env=folder.env, stderr=subprocess.PIPE)
    until(lambda: len(ports(tree_)) == 2, "the other port")
    until(lambda: serves(ports(tree_)[1]), "it is served there")
    same(serves(ports(tree_)[0]), False)
    folder.write("break", {})
    same((applies.communicate()[1] != b"", applies.returncode), (True, 1))
    same(ports(tree_)[2], ports(tree_)[0])
    same([serves(port) for port in ports(tree_)[:2]], [True, False])
    tree_.signal(signal.SIGTERM)
    same(tree_.wait(), 5)


@fact
def a_port_that_is_not_to_be_had_refuses_the_apply(folder):
    tree_ = folder.start(tree(child("a", "counter"), name=NAME, metrics="0"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        new = folder.write("new.json", tree(child("b", "counter"),
                                            name=NAME, metrics=str(taken.getsockname()[1])))
        wrong = folder.bough("apply", new, code=1)
    contains(wrong.stderr, "cannot serve metrics at 127.0.0.1:", "the port is in use")
    same(lives(folder), {"/": 1, "/a": 1})
    same(serves(ports(tree_)[0]), True)
    folder.bough("apply", folder.write("t.json", tree(child("b", "counter"), name=NAME, metrics="0")))
    same(serves(ports(tree_)[0]), True)


@fact
def the_port_of_the_command_line_stays(folder):
    tree_ = folder.start(tree(child("a", "counter"), name=NAME, metrics="0"), "--metrics", "127.0.0.1:0")
    new = folder.write("new.json", tree(child("a", "counter"), name=NAME, metrics="1"))
    contains(folder.bough("plan", new).stdout, "nothing to do")
    contains(folder.bough("apply", new).stdout, "nothing to do")
    same((len(ports(tree_)), serves(ports(tree_)[0])), (1, True))


@fact
def a_file_means_the_same_however_it_is_named(folder):
    folder.write("x.sh", "exec sleep 1000\n")
    conf = tree(child("log", "logger", options={"file": "one.log"}),
                child("c", "command", options={"run": ["sh", "x.sh"], "cwd": "sub"}))
    folder.write("t.json", conf)
    sub = folder.path / "sub"
    sub.mkdir()
    folder.write("sub/x.sh", "exec sleep 1000\n")
    folder.write("new.json", conf)
    os.symlink("sub/../new.json", folder.path / "link.json")
    running = folder.start("t.json")
    for name, cwd in (("t.json", None), (str(folder.path / "t.json"), None), ("../new.json", sub),
                      ("link.json", None), ("sub/../t.json", None)):
        contains(folder.bough("plan", name, cwd=cwd).stdout, "nothing to do")
    running.signal(signal.SIGHUP)
    same(running.wait_event("applied", "/")["detail"], "3 kept")
    folder.write("sub/t.json", conf)
    contains(folder.bough("plan", "sub/t.json").stdout,
             f'options.file: "one.log" -> "{sub}/one.log"')


# Everywhere


@fact
def threads_processes_and_groups_change_in_place(folder):
    def boxes(extra, initial, replicas):
        inner = [child("a", "counter"), child("b", "counter", options={"initial": initial}),
                 *extra]
        return tree(supervisor("process", inner, isolation="process"),
                    supervisor("thread", inner, isolation="thread"),
                    child("g", "counter", isolation="process", replicas=replicas))

    folder.start(boxes([], 1, 2))
    for box in ("process", "thread"):
        folder.bough("call", f"/{box}/a", "increment")
    pids = {row["path"]: row["pid"] for row in folder.ask("status", "--json")}
    folder.bough("apply", folder.write("new.json", boxes([child("c", "kv")], 5, 3)))
    after = {row["path"]: row["pid"] for row in folder.ask("status", "--json")}
    for path in ("/process", "/g/0", "/g/1"):
        same(after[path], pids[path], path)
    assert "/g/2" in after
    for box in ("process", "thread"):
        same(folder.ask("call", f"/{box}/a", "get_count"), {"count": 1})
        same(folder.ask("call", f"/{box}/b", "get_count"), {"count": 5})
        folder.bough("call", f"/{box}/c", "set", '{"key": "k", "value": "v"}')
    folder.bough("apply", folder.path / "t.json")
    same(sorted(lives(folder)), sorted(pids))
    same(folder.ask("call", "/process/a", "get_count"), {"count": 1})


@fact
def a_supervisor_that_goes_to_a_process_is_restarted_whole(folder):
    def box(**more):
        return tree(supervisor("s", [child("a", "counter")], **more))

    folder.start(box())
    plan = folder.ask("plan", folder.write("new.json", box(isolation="process")), "--json")
    same(steps(plan), "stop/s change/ start/s")
    folder.bough("apply", folder.path / "new.json")
    assert folder.ask("status", "/s", "--json")[0]["pid"]
    same(folder.ask("call", "/s/a", "increment"), {"count": 1})


@fact
def children_of_a_dynamic_supervisor_are_kept(folder):
    def pool(initial, **more):
        return tree(supervisor("pool", [child("t", "counter", options={"initial": initial})],
                               strategy="dynamic", **more))

    folder.start(pool(1))
    folder.bough("call", "/pool", "start_child", '{"name": "one"}')
    folder.bough("call", "/pool/one", "increment")
    folder.bough("apply", folder.write("new.json", pool(1, intensity=9)))
    same(folder.ask("call", "/pool/one", "get_count"), {"count": 2})
    contains(folder.bough("plan", folder.write("other.json", pool(3, intensity=9))).stdout,
             "~ /pool  restarted\n      children: changed")
    folder.bough("apply", folder.path / "other.json")
    same(list(lives(folder)), ["/", "/pool"])


@fact
def a_tree_keeps_its_name_and_its_root(folder):
    folder.start(BEFORE)
    other = folder.write("other.json", {**AFTER, "name": "other"})
    for verb in ("plan", "apply"):
        contains(folder.bough(verb, other, code=1).stderr,
                 'is about the tree "other", and this one is "t"')
    pool = folder.write("pool.json", tree(child("x", "kv"), strategy="dynamic"))
    contains(folder.bough("plan", pool, code=1).stderr, "the root cannot become dynamic")


@fact
def requests_over_http_are_checked(folder):
    running = folder.start(BEFORE)
    for body, part in (({}, '"file" must be'), ({"file": 7}, '"file" must be'),
                       ({"file": "t.json", "text": 7}, '"file" must be'),
                       ({"fil": "t.json"}, 'did you mean "file"?'),
                       (b"nonsense", "the body is not JSON"),
                       ({"file": "t.json", "timeout": "0s"}, "longer than nothing")):
        code, answer = running.request("POST", "/v1/apply", body)
        same(code, 400, body)
        contains(answer["error"]["text"], part)
    code, answer = running.request("POST", "/v1/plan", {"file": "x.json", "text": "{"})
    same([code, answer["error"]["errors"][0]["line"]], [400, 1])
    text = '{"name": "t", "children": [], /* comments, too */ }'
    code, answer = running.request("POST", "/v1/plan", {"file": "x.json", "text": text})
    same([code, answer["removed"]], [200, 4])
    same(running.request("GET", "/v1/plan")[0], 405)
    same(lives(folder)["/old"], 1)


main()
