#!/usr/bin/env python3
"""Programs under a tree: they do not stop, fork away, flood the log, die at once, are never ready,
are not there; and whatever dies, nothing that they have started is left.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import re
import resource
import shutil
import stat

from bough_cli import (SOURCE, Skip, child, contains, fact, json, main, processes, same, signal,
                       socket, supervisor, until)

FLOOD = "1G" if os.environ.get("BOUGH_TEST_LONG") else "20M"


def program(name, run, **more):
    """A command: a script unless it is a list. Options and keys of the child as they come."""
    keys = {key: more.pop(key) for key in ("restart", "shutdown", "start_timeout", "backoff")
            if key in more}
    options = {"run": run, **more}
    if isinstance(run, str):
        options["shell"] = True
    return child(name, "command", options=options, **keys)


def tree_of(*children, **more):
    return {"name": "stack", "intensity": 100, "period": "60s", "children": list(children), **more}


def place(folder, path):
    return folder.ask("status", path, "--json")[0]


def mark(folder):
    """A text that only processes of this test have in their command lines."""
    return str(folder.path)


def runs(pid):
    """Whether a process is there, and no zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def memory(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    return 0


@fact
def who_ignores_the_stop_signal_is_killed_with_all_it_started(folder):
    tree = folder.start(tree_of(program(
        "deaf", f"trap '' TERM; sleep 1000 {mark(folder)} & (setsid sh -c 'sleep 1000; : {mark(folder)}' &) "
                f"; while :; do sleep 0.1; done", shutdown="300ms")))
    until(lambda: len(processes(mark(folder))) >= 3, "what it starts")
    folder.bough("stop", "/deaf", "--wait")
    contains(tree.said(), "/deaf did not end within 300ms and is killed")
    until(lambda: [line for line in processes(mark(folder)) if "bough run" not in line] == [],
          "the end of all")
    folder.bough("shutdown")
    same(tree.wait(), 0)


@fact
def who_has_forked_away_ends_with_its_program(folder):
    folder.start(tree_of(program("away", f"(setsid sh -c 'sleep 1000; : {mark(folder)}' &); read x",
                                 stdin="input", restart="temporary")))
    until(lambda: len(processes("sleep 1000; : " + mark(folder))) > 0, "the far one")
    folder.bough("call", "/away", "input", '{"last": true}')
    until(lambda: processes("sleep 1000; : " + mark(folder)) == [], "the end of the far one")


@fact
def nothing_survives_a_kill_of_bough(folder):
    tree = folder.start(tree_of(
        program("near", ["sleep", "1000", ]),
        program("away", f"(setsid sh -c 'sleep 1000; : {mark(folder)}' &); : {mark(folder)}; sleep 1000"),
        child("worker", "worker", options={
            "run": ["sh", "-c", f"(setsid sh -c 'sleep 1000; : {mark(folder)}' &); sleep 1000"]})))
    pid = place(folder, "/near")["pid"]
    folder.bough("send", "/worker", "do_work", '{"work_id": "1"}')
    until(lambda: len(processes("sleep 1000; : " + mark(folder))) >= 3, "the far ones")
    os.kill(tree.pid, signal.SIGKILL)
    tree.wait()
    until(lambda: processes(mark(folder)) == [], "the end of all")
    until(lambda: not runs(pid), "the end of the near one")


# What a sanitizer keeps of freed memory would count as that of bough.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"


def end_of(path):
    with open(path, "rb") as file:
        file.seek(max(os.fstat(file.fileno()).st_size - 200, 0))
        return file.read()


@fact
def a_flood_of_output_holds_up_nobody_else(folder):
    log = folder.path / "flood.log"
    tree = folder.start({**tree_of(
        child("log", "logger", options={"file": "flood.log"}),
        program("flood", f"yes 'a line of some length, again and again' | head -c {FLOOD}; echo over; sleep 1000"),
        child("store", "kv")), "log": "/log"})
    before = memory(tree.pid)
    while b"over stream=stdout" not in end_of(log):
        same(folder.ask("call", "/store", "set", '{"key": "a", "value": "1"}')["created"] in (True, False), True)
        assert memory(tree.pid) < before + (64 << 20)
    counted = folder.ask("call", "/flood", "status")
    with open(log, encoding="utf-8") as file:
        lines = sum("again and again stream=stdout" in line for line in file)
    assert counted["stdout_lines"] - 2 <= lines <= counted["stdout_lines"], (counted, lines)
    same(place(folder, "/log")["mailbox"]["dropped"], 0)


@fact
def who_dies_at_once_for_ever_is_given_up(folder):
    tree = folder.start({**tree_of(program("brief", "echo cannot bind >&2; exit 7")),
                         "intensity": 3, "period": "5s"}, ready=False)
    same(tree.wait(), 70)
    contains(tree.said(), "/brief ended: exit 7: cannot bind; restart 3 of 3 in 5s",
             "stack: ")


@fact
def who_is_never_ready_is_a_failed_start(folder):
    tree = folder.start(tree_of(program("slow", ["sleep", "1000"], start_timeout="200ms",
                                        ready={"tcp": "127.0.0.1:1"})), ready=False)
    same(tree.wait(), 69)
    contains(tree.said(), "/slow: not ready: tcp 127.0.0.1:1: no connection: Connection refused; "
             'correct its "ready" or the program, or give it a longer "start_timeout"',
             "could not start", "/slow did not start: timeout: it was not ready within 200ms")


@fact
def a_program_that_is_missing_is_a_failed_start(folder):
    tree = folder.start(tree_of(program("a", ["bough-has-no-such"])), ready=False)
    same(tree.wait(), 69)
    contains(tree.said(), 'program "bough-has-no-such" was not found in PATH; install it, or give its whole')


@fact
def one_that_is_not_executable_is_a_failed_start(folder):
    folder.write("script", "#!/bin/sh\n")
    tree = folder.start(tree_of(program("a", ["./script"])), ready=False)
    same(tree.wait(), 69)
    contains(tree.said(), 'script" is not executable; chmod +x it, or correct its name')


@fact
def what_no_machine_like_this_runs_is_a_failed_start(folder):
    """An ELF file that ends after its head: shells would take it for a script."""
    (folder.path / "alien").write_bytes(b"\x7fELF\2\1\1\0" + bytes(40))
    (folder.path / "alien").chmod(0o755)
    tree = folder.start(tree_of(program("a", ["./alien"])), ready=False)
    same(tree.wait(), 69)
    contains(tree.said(), 'alien": it is built for another machine, or broken; install the right one')


@fact
def a_folder_that_is_none_is_a_failed_start(folder):
    folder.write("file", "")
    file = folder.write("x.json", tree_of(program("a", ["true"], cwd="file")))
    said = f'cannot enter "{folder.path}/file"; make it, or correct "cwd": Not a directory'
    same([one["text"] for one in folder.ask("check", "--json", file)["obstacles"]], [said])
    tree = folder.start(file, ready=False)
    same(tree.wait(), 69)
    contains(tree.said(), said)


@fact
def who_goes_into_the_background_is_told_to_stay(folder):
    tree = folder.start(tree_of(program(
        "a", "(setsid sh -c ': >far; sleep 1000' &); until [ -e far ]; do sleep 0.01; done; exit 0",
        restart="transient")))
    until(lambda: "left others behind, which are killed: it must stay in the foreground" in tree.said(),
          "the advice")


@fact
def who_ends_well_before_it_is_ready_is_a_failed_start(folder):
    tree = folder.start(tree_of(program("a", "echo done", ready={"log": "listening"})), ready=False)
    same(tree.wait(), 69)
    contains(tree.said(), '/a: its program has ended well before it was ready: no line fits "listening"')


@fact
def who_has_stopped_itself_ends_all_the_same(folder):
    tree = folder.start(tree_of(program("a", "echo here; kill -STOP $$; sleep 1000", shutdown="200ms")))
    until(lambda: "/a: here" in tree.said(), "its stop")
    folder.bough("shutdown")
    same(tree.wait(), 0)
    contains(tree.said(), "/a did not end within 200ms and is killed")


@fact
def check_says_what_is_missing_here(folder):
    file = folder.write("x.json", tree_of(
        program("a", ["bough-has-no-such"]), program("b", ["true"], env_file="none"),
        program("c", ["true"], cwd="nowhere"), program("d", ["true"]),
        program("e", ["bough-in-bin"], env={"PATH": str(folder.path / "bin")}),
        child("f", "worker", options={"run": ["./none"]})))
    (folder.path / "bin").mkdir()
    tool = folder.path / "bin/bough-in-bin"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    same([(one["path"], one["text"].split(";")[0]) for one in
          folder.ask("check", "--json", file)["obstacles"]],
         [("/a", 'program "bough-has-no-such" was not found in PATH'),
          ("/b", f'env_file "{folder.path}/none" cannot be read: No such file or directory'),
          ("/c", f'cannot enter "{folder.path}/nowhere"'),
          ("/f", f'program "{folder.path}/./none" is not there')])


@fact
def files_are_where_the_config_is(folder):
    """The tree is run from elsewhere."""
    (folder.path / "etc").mkdir()
    script = folder.path / "etc/run.sh"
    script.write_text('#!/bin/sh\necho "$SECRET in $(pwd)"\nexec sleep 1000\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (folder.path / "etc/env").write_text("SECRET=word\n")
    file = folder.write("etc/tree.json", tree_of(program(
        "a", ["./run.sh"], env_file="env", cwd="..", stdout={"file": "out.log"})))
    folder.start("etc/tree.json")
    until(lambda: (folder.path / "etc/out.log").exists() and
          (folder.path / "etc/out.log").read_text() != "", "its output")
    same((folder.path / "etc/out.log").read_text(), f"word in {folder.path}\n")
    assert file


@fact
def secrets_of_a_file_are_shown_nowhere(folder):
    folder.write("env", "TOKEN=s3cr3t\n")
    tree = folder.start(tree_of(program("a", "test -n \"$TOKEN\" || exit 9; exec sleep 1000",
                                        env_file="env")))
    shown = [folder.bough("status", "--json").stdout, folder.bough("events", "--json").stdout,
             folder.bough("call", "/a", "status").stdout,
             folder.bough("call", "/", "get_child_spec", '{"name": "a"}').stdout]
    folder.bough("kill", "/a")
    until(lambda: place(folder, "/a")["life"] == 2, "the second life")
    shown += [folder.bough("why", "/a").stdout, tree.said()]
    folder.write("env", "s3cr3t is no variable\n")
    folder.bough("kill", "/a")
    until(lambda: "line 1 is not NAME=VALUE" in tree.said(), "the error")
    shown.append(tree.said())
    assert not any("s3cr3t" in text for text in shown), shown


@fact
def a_signal_by_hand_reaches_the_program(folder):
    folder.start(tree_of(program("a", "trap 'exit 4' USR1; while :; do sleep 0.05; done")))
    folder.bough("kill", "/a", "--reason", "signal:USR1")
    until(lambda: place(folder, "/a")["life"] == 2, "the second life")
    contains(folder.bough("why", "/a").stdout, "USR1")


@fact
def each_of_a_group_waits_until_the_one_before_is_ready(folder):
    """Rest for one: the first is killed, the rest stop in reverse, and start in order."""
    def part(name, ready):
        return program(name, f"trap 'echo {name} stops; exit 0' TERM; sleep 0.1; echo {name} is up; "
                             "while :; do sleep 0.05; done", ready=ready)
    tree = folder.start({**tree_of(part("a", {"log": "a is up"}), part("b", {"log": "is up$"}),
                                   part("c", {"log": "c is"})), "strategy": "rest-for-one"})
    seq = tree.events()[-1]["seq"]
    folder.bough("kill", "/a")
    until(lambda: any(one["event"] == "ready" and one["path"] == "/c" and one["life"] == 2
                      for one in tree.events()), "all again")
    steps = [(one["event"], one["path"]) for one in tree.events()
             if one["seq"] > seq and one["event"] in ("stopping", "exited", "started", "ready")]
    same(steps, [("exited", "/a"), ("stopping", "/c"), ("exited", "/c"), ("stopping", "/b"),
                 ("exited", "/b"), ("started", "/a"), ("ready", "/a"), ("started", "/b"),
                 ("ready", "/b"), ("started", "/c"), ("ready", "/c")])


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


@fact
def a_stack_of_real_servers_is_restarted_in_order(folder):
    """The example, on ports that are free here."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    missing = [name for name in ("redis-server", "redis-cli", "lighttpd", "curl")
               if shutil.which(name, path=path) is None]
    if missing:
        raise Skip(f"{', '.join(missing)} not installed")
    text = (SOURCE / "config/examples/stack.json").read_text()
    text = text.replace("6400", free_port()).replace("8400", free_port())
    text = text.replace('"$schema": "../bough.schema.json",', "")
    shutil.copytree(SOURCE / "config/examples/stack", folder.path / "stack")
    tree = folder.start(folder.write("stack.json", text), env={"PATH": path})
    contains(tree.said(), "/visitor: visit 1 stream=stdout")
    seq = tree.events()[-1]["seq"]
    os.kill(place(folder, "/redis")["pid"], signal.SIGKILL)
    until(lambda: any(one["event"] == "ready" and one["path"] == "/visitor" and one["life"] == 2
                      for one in tree.events()), "all again")
    steps = [(one["event"], one["path"]) for one in tree.events() if one["seq"] > seq]
    # The visitor may find by itself that nobody is there.
    same([step for step in steps if step[0] in ("started", "ready")],
         [(event, path) for path in ("/redis", "/web", "/visitor") for event in ("started", "ready")])
    ends = [path for event, path in steps if event == "exited"]
    same(sorted(ends), ["/redis", "/visitor", "/web"])
    for before, after in ((("exited", "/visitor"), ("stopping", "/web")),
                          (("stopping", "/web"), ("exited", "/web")),
                          (("exited", "/web"), ("started", "/redis"))):
        assert steps.index(before) < steps.index(after), (before, after, steps)
    for name in ("redis", "web"):
        same(place(folder, "/" + name)["life"], 2)
    folder.bough("shutdown")
    same(tree.wait(), 0)


@fact
def programs_of_a_subtree_in_a_process_end_with_it(folder):
    """They are processes of their own, and children of bough."""
    tree = folder.start(tree_of(supervisor("sub", [
        program("a", "(setsid sh -c 'echo far=$$; exec sleep 1000' &); sleep 1000"),
        child("risky", "faulty")], isolation="process")))

    def far():
        return [int(number) for number in re.findall(r"/sub/a: far=(\d+)", tree.said())]

    until(lambda: len(far()) == 1, "the far one")
    folder.bough("call", "/sub/risky", "crash", code=1)
    until(lambda: len(far()) == 2, "the one of the next life")
    until(lambda: not runs(far()[0]), "the end of the first")
    assert runs(far()[1])
    os.kill(tree.pid, signal.SIGKILL)
    tree.wait()
    until(lambda: not runs(far()[1]), "the end of all")


@fact
def the_log_tells_who_wrote_what(folder):
    tree = folder.start({**tree_of(
        child("log", "logger", options={"format": "json", "file": "x.log"}),
        program("a", "echo out; echo error >&2; exec sleep 1000")), "log": "/log"})
    log = folder.path / "x.log"
    until(lambda: log.exists() and log.read_text().count('"stream"') == 2, "both lines")
    rows = [json.loads(line) for line in log.read_text().splitlines() if '"stream"' in line]
    same(sorted((row["path"], row["text"], row["fields"]["stream"]) for row in rows),
         [("/a", "error", "stderr"), ("/a", "out", "stdout")])
    assert tree.alive()


@fact
def its_limit_of_files_is_not_that_of_bough(folder):
    """Which raises its own as far as it goes."""
    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE,
                           (300, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    tree = folder.start(tree_of(program("a", "echo files $(ulimit -n).; exec sleep 1000"),
                                program("own", "echo files $(ulimit -n).; exec sleep 1000",
                                        rlimits={"files": 320}),
                                child("worker", "worker", options={"run": ["sh", "-c", "ulimit -n"]})),
                        preexec_fn=lower)
    until(lambda: "/a: files 300. " in tree.said(), "its limit")
    until(lambda: "/own: files 320. " in tree.said(), "the limit that it is given")
    contains(folder.bough("call", "/worker", "do_work", '{"work_id": "1"}').stdout, "300\\n")


@fact
def who_leaves_something_behind_comes_back_once(folder):
    """What was killed with a cgroup must not take the next life along."""
    tree = folder.start(tree_of(program("a", "(setsid sleep 1000 &); echo here; read x; exit 1",
                                        stdin="input")))
    for life in range(1, 6):
        until(lambda: place(folder, "/a")["life"] == life and tree.said().count("here") == life,
              "the next life")
        folder.bough("call", "/a", "input", '{"last": true}')
    until(lambda: place(folder, "/a")["life"] == 6, "the last life")
    assert "KILL" not in tree.said(), tree.said()


@fact
def orphans_that_have_ended_are_reaped(folder):
    tree = folder.start(tree_of(program(
        "a", "for i in 1 2 3 4 5 6 7 8 9; do (sh -c 'echo ends' &) ; done; exec sleep 1000")))
    until(lambda: tree.said().count("ends") == 9, "their ends")
    until(lambda: zombies(tree.pid) == 0, "no zombies")
    same(place(folder, "/a")["life"], 1)


def zombies(parent):
    count = 0
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        count += fields[0] == "Z" and int(fields[1]) == parent
    return count


if __name__ == "__main__":
    main()
