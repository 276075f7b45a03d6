#!/usr/bin/env python3
"""The command line: help, wrong commands, and how the control socket is found.

SPDX-License-Identifier: MIT
"""

from bough_cli import (SOURCE, Skip, child, contains, fact, json, main, os, same, subprocess, until,
                       BOUGH)

VERBS = ["run", "check", "simulate", "tree", "graph", "status", "top", "events", "logs", "metrics", "why", "call",
         "send", "kill", "quarantine", "start", "stop", "restart", "plan", "apply", "shutdown", "types", "schema",
         "completion", "manual", "version", "help"]
COUNTER = {"name": "one", "children": [child("c", "counter")]}


@fact
def help_lists_every_verb(folder):
    text = folder.bough("help").stdout
    same([line.split()[0] for line in text.splitlines() if line.startswith("  ")], VERBS)
    same(folder.bough("--help").stdout, text)
    same(folder.bough("-h").stdout, text)


@fact
def each_verb_has_a_help_with_an_example(folder):
    for verb in VERBS:
        text = folder.bough(verb, "--help").stdout
        same(folder.bough("help", verb).stdout, text)
        contains(text, f"usage: bough {verb} [OPTION]...", "\nexample:\n")
        example = text.partition("\nexample:\n")[2]
        contains(example, f"bough {verb}")
        assert all(len(line) < 90 for line in text.splitlines()), text


@fact
def no_words_print_help_to_stderr_and_end_with_2(folder):
    nothing = folder.bough(code=2)
    same(nothing.stdout, "")
    contains(nothing.stderr, "usage: bough")


@fact
def wrong_command_lines_end_with_2_and_say_what_is_meant(folder):
    for words, text in (
            (["statsu"], 'bough: no command "statsu"; did you mean "status"?\n'),
            (["frobnicate"], 'bough: no command "frobnicate"; `bough help` lists them\n'),
            (["--name", "shop", "status"],
             'bough: no command "--name"; options come after the command, '
             "as in `bough status --name NAME`\n"),
            (["status", "--control", ""],
             "bough: the control socket's path is empty\n"),
            (["help", "cal"], 'bough: no command "cal"; did you mean "call"?\n'),
            (["status", "--jsn"],
             'bough: status: no option "--jsn"; did you mean "--json"?\n'),
            (["status", "-x"],
             'bough: status: no option "-x"; `bough help status` lists them\n'),
            (["version", "--follow"],
             'bough: version: no option "--follow"; `bough help version` lists them\n'),
            (["kill", "/x", "--reason"], 'bough: kill: "--reason" takes an argument\n'),
            (["call", "/x"], "bough: usage: bough call [OPTION]... PATH MESSAGE [JSON]; "
                             "`bough help call` tells more\n"),
            (["run"], "bough: usage: bough run [OPTION]... FILE; `bough help run` tells more\n"),
            (["shutdown", "now"],
             "bough: usage: bough shutdown [OPTION]...; `bough help shutdown` tells more\n"),
            (["call", "/x", "get", "{"], "bough: call: the fields are not JSON: "),
            (["call", "/x", "get", "[]"], "bough: call: the fields must be a JSON object"),
            (["call", "/x", "get", '{"n": 9223372036854775808}'],
             "bough: call: the fields are not JSON: "),
            (["call", "x", "get"], 'bough: "x" is not a path'),
            (["status", "/a//b"], 'bough: "/a//b" is not a path'),
            (["call", "/x", "get", "--timeout", "5"], "bough: call: --timeout: "),
            (["call", "/x", "get", "--timeout", "0s"],
             "bough: call: --timeout must be longer than nothing\n"),
            (["call", "/x", "get", "--priority", "low"],
             "bough: call: --priority must be normal or high\n"),
            (["send", "/x", "get", "-p", ""], "bough: send: --priority must be normal or high\n"),
            (["events", "--since", "x"],
             'bough: events: --since takes the number of an event, not "x"\n'),
            (["status", "--name", "../x"], 'bough: "../x" is not a name'),
            (["completion", "tcsh"], 'bough: no completion for "tcsh"; there is one for bash, zsh and fish\n')):
        wrong = folder.bough(*words, code=2)
        same(wrong.stdout, "", words)
        assert wrong.stderr.startswith(text), f"{words}: {wrong.stderr!r}"
        same(wrong.stderr.count("\n"), 1, words)


@fact
def nobody_there_ends_with_6_and_says_where_it_looked(folder):
    nobody = folder.bough("status", code=6)
    contains(nobody.stderr, f"no tree runs (looked in {folder.sockets});")
    contains(folder.bough("status", "--control", "nowhere", code=6).stderr,
             "nowhere: no such socket")
    contains(folder.bough("status", "--name", "x", code=6).stderr,
             f'no tree "x" runs (looked in {folder.sockets})')
    contains(folder.bough("status", "--name", f"x-{folder.path.name}", code=6,
                          env={"BOUGH_RUNTIME_DIR": ""}).stderr,
             f"runs (looked in {folder.runtime}/bough and /run/bough)")
    long = "x" * 200
    contains(folder.bough("status", "--control", long, code=2).stderr, "longer than the 107")


@fact
def trees_of_another_folder_are_not_seen(folder):
    """Also those of the machine, which a test cannot start: a folder that is named is the only one."""
    other = {"BOUGH_RUNTIME_DIR": str(folder.path / "other")}
    folder.start(COUNTER, env={"BOUGH_RUNTIME_DIR": ""})
    tree = folder.start({**COUNTER, "name": "two"}, env=other)
    same(tree.socket(), f"{other['BOUGH_RUNTIME_DIR']}/two.sock")
    contains(folder.bough("tree", env=other).stdout, f"two (pid {tree.pid})")
    contains(folder.bough("tree").stdout, "one (pid ")
    contains(folder.bough("status", "--name", "one", code=6, env=other).stderr, 'no tree "one"')


@fact
def no_such_path_ends_with_4(folder):
    folder.start(COUNTER)
    for words in (["status", "/x"], ["call", "/x", "get"], ["send", "/x", "get"],
                  ["kill", "/x"], ["call", "/c/d", "get"]):
        wrong = folder.bough(*words, code=4)
        contains(wrong.stderr, f"bough: {words[1]}: not_found: no actor at this path")
        error = folder.ask(*words, "--json", code=4)["error"]
        same((error["status"], error["path"]), ("not_found", words[1]))


@fact
def messages_are_checked_by_their_tables(folder):
    folder.start(COUNTER)
    for words, part in ((["incremnt"], 'did you mean "increment"?'),
                        (["increment", '{"amount": "x"}'], '"amount" must be'),
                        (["increment", '{"amont": 1}'], "amont"),
                        (["increment", '{"amount": 1.5}'], '"amount" must be')):
        wrong = folder.bough("call", "/c", *words, code=1)
        contains(wrong.stderr, "bough: /c: invalid: ", part)
    same(folder.ask("call", "/c", "get_count"), {"count": 0})


@fact
def a_call_that_takes_too_long_ends_with_7(folder):
    folder.start({"name": "slow", "children": [
        child("w", "worker", shutdown="brutal-kill", options={"run": ["sleep", "1000"]})]})
    slow = folder.bough("call", "/w", "do_work", '{"work_id": "a"}', "--timeout", "50ms", code=7)
    contains(slow.stderr, "bough: /w: timeout: ")


@fact
def what_has_high_priority_goes_before_what_waits(folder):
    done = folder.path / "done"
    gate = folder.path / "gate"
    folder.start({"name": "row", "children": [
        child("w", "worker", options={"run": ["sh", "-c", 
              f"cat >> {done}; until [ -e {gate} ]; do sleep 0.01; done"]})]})
    for words in ("a",), ("b",), ("c", "--priority", "high"), ("d", "--priority", "normal"):
        work = json.dumps({"work_id": words[0], "input": words[0]})
        folder.bough("send", "/w", "do_work", work, *words[1:])
    gate.write_text("")
    until(lambda: done.exists() and len(done.read_text()) == 4, "four jobs")
    same(done.read_text(), "acbd")


@fact
def a_timeout_may_be_as_long_as_time(folder):
    folder.start(COUNTER)
    for timeout in ("9223372036854775806ms", "infinity"):
        done = folder.bough("call", "/c", "get_count", "--timeout", timeout)
        same((done.stdout, done.stderr), ('{"count":0}\n', ""))


@fact
def several_trees_are_told_apart_by_name(folder):
    for name in ("north", "south"):
        folder.start({"name": name, "children": [child(name, "counter")]})
    both = folder.bough("status", code=2).stderr
    contains(both, "--name", "north (", "south (")
    same(folder.ask("status", "--name", "north", "--json")[1]["path"], "/north")
    same(folder.ask("tree", "--name", "south", "--json")["name"], "south")
    contains(folder.bough("status", "--name", "west", code=6).stderr, 'no tree "west" runs')


@fact
def the_socket_is_where_it_is_said(folder):
    file = folder.write("one.json", COUNTER)
    given = str(folder.path / "given.sock")
    by_option = folder.start(file, "--control", given)
    same(by_option.socket(), given)
    same(os.stat(given).st_mode & 0o777, 0o600)
    folder.bough("status", code=6)
    folder.bough("status", "--control", given)
    folder.bough("status", env={"BOUGH_CONTROL": given})
    by_env = folder.start(file, env={"BOUGH_CONTROL": str(folder.path / "env.sock")})
    same(by_env.socket(), str(folder.path / "env.sock"))
    by_name = folder.start(file, "--name", "other")
    same(by_name.socket(), str(folder.sockets / "other.sock"))
    same(os.stat(folder.sockets).st_mode & 0o777, 0o700)
    folder.bough("status", "--name", "other")


@fact
def a_socket_that_cannot_be_made_ends_the_run_with_1(folder):
    tree = folder.start(COUNTER, ready=False, env={"BOUGH_RUNTIME_DIR": "/nowhere/bough"})
    same(tree.wait(), 1)
    contains(tree.said(), "bough: one: cannot make /nowhere/bough for the control socket",
             "--control", "No such file")


@fact
def a_runtime_folder_that_is_too_long_is_not_passed_over(folder):
    for words, env in ((["run"], {"BOUGH_RUNTIME_DIR": "/" + 106 * "x"}),
                       (["run"], {"BOUGH_RUNTIME_DIR": "", "XDG_RUNTIME_DIR": "/" + 100 * "x"}),
                       (["run", "--control", 108 * "x"], {})):
        wrong = folder.bough(*words, folder.write("one.json", COUNTER), env=env, code=1)
        contains(wrong.stderr, "bough: one: the control socket's path is longer than")


@fact
def another_users_tree_is_not_permitted(folder):
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    tree = folder.start(COUNTER)
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    os.chmod(folder.path, 0o755)
    os.chmod(folder.runtime, 0o755)
    contains(folder.bough("status", "--control", tree.socket(), code=5, **nobody).stderr,
             "permission denied")
    contains(folder.bough("status", code=5, **nobody).stderr, "no tree of yours runs")
    os.chmod(folder.sockets, 0o755)
    os.chmod(tree.socket(), 0o666)
    contains(folder.bough("status", code=5, **nobody).stderr,
             "denied: the tree belongs to another user")
    contains(folder.bough("shutdown", code=5, **nobody).stderr, "denied")
    assert tree.alive()


@fact
def types_are_described_without_a_tree(folder):
    names = [one["name"] for one in folder.ask("types", "--json")]
    same(names, ["supervisor", "command", "counter", "faulty", "kv", "logger", "worker"])
    text = folder.bough("types", "kv").stdout
    contains(text, "kv - ", "expiry_interval: duration, optional, else 200ms", "    set - ",
             "      key: bytes", "answers:")
    one = folder.ask("types", "counter", "--json")
    same([message["name"] for message in one["messages"]],
         ["increment", "decrement", "get_count", "reset"])
    contains(folder.bough("types", "kvv", code=1).stderr, 'did you mean "kv"?')


@fact
def the_schema_is_the_one_that_is_kept(folder):
    same(folder.bough("schema").stdout, (SOURCE / "config/bough.schema.json").read_text())


@fact
def check_says_the_exact_errors_of_each_broken_file(folder):
    bad = SOURCE / "tests/config/bad"
    files = sorted(bad.glob("*.json"))
    assert len(files) >= 20, len(files)
    for file in files:
        wrong = folder.bough("check", file.name, code=78, cwd=bad)
        same(wrong.stdout, "", file.name)
        same(wrong.stderr, file.with_suffix(".expected").read_text(), file.name)


@fact
def check_sums_up_what_is_right(folder):
    right = folder.bough("check", str(SOURCE / "config/examples/shop.json"))
    same(right.stderr, "")
    contains(right.stdout, "shop.json: right: 8 actors under 2 supervisors",
             "gives up after at most 24 starts of an actor that fails at once (/till/drawer)",
             "stops within 21s")
    empty = folder.write("empty.json", {"name": "empty", "children": []})
    contains(folder.bough("check", empty).stdout, "right: 0 actors under 1 supervisor\n",
             "never gives up", "stops at once")


@fact
def check_warns_of_what_is_hardly_meant(folder):
    warn = SOURCE / "tests/config/warn"
    files = sorted(warn.glob("*.json"))
    assert len(files) >= 9, len(files)
    for file in files:
        warned = folder.bough("check", file.name, cwd=warn)
        same(warned.stderr, file.with_suffix(".expected").read_text(), file.name)
        contains(warned.stdout, ": right: ")


@fact
def a_strict_check_takes_warnings_for_errors(folder):
    file = str(SOURCE / "tests/config/warn/intensity_0.json")
    wrong = folder.bough("check", "--strict", file, code=78)
    same(wrong.stdout, "")
    contains(wrong.stderr, ":3:16: error: with ")
    said = folder.ask("check", "--strict", "--json", file, code=78)
    same((said["ok"], said["error_count"], said["warning_count"]), (False, 0, 1))
    folder.bough("check", "--strict", str(SOURCE / "config/examples/shop.json"))


@fact
def check_tells_programs_the_same(folder):
    wrong = folder.write("wrong.json", {"name": "wrong", "children": [child("c", "countr")]})
    said = folder.ask("check", "--json", wrong, code=78)
    same((said["ok"], said["error_count"]), (False, 1))
    same(said["errors"][0]["pointer"], "/children/0/type")
    right = folder.ask("check", "--json", folder.write("one.json", COUNTER))
    same((right["ok"], right["errors"], right["warnings"]), (True, [], []))
    same((right["actors"], right["supervisors"]), (1, 1))
    same((right["starts"], right["stop"]), ({"most": 2, "path": "/c"}, {"ms": 0}))


@fact
def a_wrong_file_has_no_picture(folder):
    wrong = folder.write("wrong.json", {"name": "wrong", "children": [child("c", "countr")]})
    contains(folder.bough("tree", wrong, code=78).stderr, 'unknown type "countr"')


@fact
def version_is_one_line(folder):
    version = folder.bough("version").stdout
    same(version.split()[0], "bough")
    same(folder.bough("--version").stdout, version)
    same(folder.ask("version", "--json")["version"], version.split()[1])


@fact
def completion_knows_verbs_and_options(folder):
    script = folder.bough("completion", "bash").stdout
    for line, expected in ((["bough", "st"], {"status", "start", "stop"}),
                           (["bough", "status", "--fo"], {"--follow"}),
                           (["bough", "kill", "/x", "--reason", "ki"], {"kill"}),
                           (["bough", "logs", "/", "--level", "w"], {"warning"}),
                           (["bough", "help", "sch"], {"schema"})):
        words = " ".join(f"'{word}'" for word in line)
        asked = (f"{script}\nCOMP_WORDS=({words}); COMP_CWORD={len(line) - 1}; _bough; "
                 'printf "%s\\n" "${COMPREPLY[@]}"')
        path = f"{os.path.dirname(BOUGH)}:{os.environ['PATH']}"
        done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True,
                              env={**folder.env, "PATH": path})
        same(set(done.stdout.split()), expected, f"{line} {done.stderr}")


@fact
def output_that_cannot_be_written_is_a_failure(folder):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BOUGH, "types"], stdout=full, stderr=subprocess.PIPE, text=True,
                              env=folder.env)
    same(done.returncode, 1)
    contains(done.stderr, "bough: cannot write to stdout: ")


@fact
def followed_events_that_cannot_be_written_end_the_command(folder):
    folder.start(folder.write("one.json", COUNTER))
    for words in (["--follow"], ["--follow", "--json"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BOUGH, "events", *words], stdout=full, text=True, timeout=60,
                                  stderr=subprocess.PIPE, env=folder.env)
        same(done.returncode, 1)
        same(done.stderr, "bough: cannot write to stdout: No space left on device\n")


@fact
def closed_descriptors_are_not_taken_by_sockets(folder):
    file = folder.write("one.json", COUNTER)
    running = subprocess.Popen(["sh", "-c", 'exec "$0" run "$1" <&- >&- 2>&-', BOUGH, file],
                               env=folder.env)
    try:
        until((folder.sockets / "one.sock").exists, "the tree runs")
        for number in range(3):
            same(os.readlink(f"/proc/{running.pid}/fd/{number}"), "/dev/null", number)
        folder.bough("kill", "/c")
        same(folder.ask("call", "/c", "get_count"), {"count": 0})
        folder.bough("shutdown")
        same(running.wait(timeout=60), 0)
    finally:
        running.kill()
        running.wait()


@fact
def colour_is_for_terminals_alone_and_not_with_no_color(folder):
    file = folder.write("one.json", COUNTER)
    folder.start(file)
    for env, coloured in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False),
                          ({"TERM": "dumb"}, False)):
        same("\033[" in on_terminal(folder, ["status"], env), coloured, env)
        same("\033[" in on_terminal(folder, ["tree"], env), coloured, env)
    assert "\033" not in folder.bough("status", env={"TERM": "xterm"}).stdout


def on_terminal(folder, words, env):
    """What a command prints on a terminal."""
    ours, theirs = os.openpty()
    process = subprocess.Popen([BOUGH, *words], stdout=theirs, env={**folder.env, **env})
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 65536):
            text += piece
    except OSError:  # the other side has closed
        pass
    os.close(ours)
    same(process.wait(timeout=60), 0)
    return text.decode()


@fact
def control_characters_do_not_reach_the_terminal(folder):
    folder.start({"name": "store", "children": [child("s", "kv")]})
    refused = folder.bough("call", "/s", "get", json.dumps({"key": "\033[31m\a"}), code=1)
    assert "\033" not in refused.stderr and "\a" not in refused.stderr, refused.stderr


if __name__ == "__main__":
    main()
