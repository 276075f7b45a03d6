#!/usr/bin/env python3
"""test_completion.py - the words that a command line can go on with, and the shells that ask.

SPDX-License-Identifier: MIT
"""

import re
import shutil

from bough_cli import (BOUGH, Skip, child, contains, fact, main, os, same, subprocess,
                       supervisor)
from terminal import terminal

TREE = supervisor("grove", [child("store", "kv"), child("tally", "counter"),
                            supervisor("till", [child("drawer", "kv")])])


def words(folder, *typed):
    """What the last word can become."""
    lines = folder.bough("completion", "words", "--", *typed).stdout.splitlines()
    return [line.split("\t")[0] for line in lines]


@fact
def every_command_is_offered(folder):
    offered = words(folder, "")
    for verb in re.findall(r"^  (\w+) ", folder.bough("help").stdout, re.MULTILINE):
        assert verb in offered, verb
        assert "--help" in words(folder, verb, "-"), verb
    same(words(folder, "ch"), ["check"])


@fact
def every_option_of_a_command_is_offered(folder):
    for verb in ("status", "simulate", "call", "run"):
        options = re.findall(r"^  (?:-\w,|   ) (--[\w-]+)", folder.bough("help", verb).stdout,
                             re.MULTILINE)
        assert "--help" in options
        same(words(folder, verb, "--"), options)


@fact
def a_value_of_an_option_is_known(folder):
    same(words(folder, "kill", "/a", "--reason", "s"), ["shutdown", "signal:"])
    same(words(folder, "kill", "-r", "k"), ["kill"])
    same(words(folder, "call", "--timeout", ""), [])
    same(words(folder, "run", "--control", ""), [":files"])


@fact
def arguments_are_what_the_help_calls_them(folder):
    same(words(folder, "check", "x"), [":files"])
    same(words(folder, "plan", "old.json", ""), [":files"])
    same(words(folder, "check", "x.json", "y"), [])
    same(words(folder, "completion", ""), ["bash", "zsh", "fish"])
    same(words(folder, "manual", ""), ["bough", "bough.json"])
    same(words(folder, "help", "shut"), ["shutdown"])
    contains(words(folder, "types", ""), "kv", "supervisor")
    same(words(folder, "nonsense", ""), [])


@fact
def every_argument_of_a_command_is_known(folder):
    folder.start(TREE)
    for verb, names in re.findall(r"^  (\w+) ((?:\[?[A-Z][\w|]*\]? )+)", folder.bough("help").stdout,
                                  re.MULTILINE):
        before = []
        for name in names.replace("[", "").replace("]", "").split():
            if name != "JSON":
                assert words(folder, verb, *before, ""), f"{verb} {name}"
            before.append("/tally" if name == "PATH" else "x")


@fact
def paths_and_messages_are_those_of_the_tree(folder):
    folder.start(TREE)
    same(words(folder, "status", "/t"), ["/tally", "/till", "/till/drawer"])
    same(words(folder, "call", "--timeout", "5s", "/tally", "in"), ["increment"])
    same(words(folder, "call", "/till/drawer", "ge"), ["get"])
    same(words(folder, "call", "/nobody", ""), [])
    same(words(folder, "status", "--name", ""), ["grove"])
    same(words(folder, "status", "--name", "=", "grove", "/ta"), ["/tally"])


@fact
def of_several_trees_the_named_one_is_asked(folder):
    folder.start(TREE)
    folder.start(supervisor("meadow", [child("sheep", "counter")]))
    same(words(folder, "status", "/s"), [])
    same(words(folder, "status", "--name", "meadow", "/s"), ["/sheep"])
    same(words(folder, "status", "--name=grove", "/s"), ["/store"])
    same(sorted(words(folder, "status", "--name", "")), ["grove", "meadow"])


@fact
def without_a_tree_there_are_no_paths(folder):
    same(words(folder, "status", "/"), [])


@fact
def an_unknown_shell_is_refused(folder):
    contains(folder.bough("completion", "tcsh", code=2).stderr, "bash, zsh and fish")
    contains(folder.bough("completion", "bash", "zsh", code=2).stderr, "bash, zsh and fish")


def shell_is_there(shell):
    if shutil.which(shell) is None:
        raise Skip(f"no {shell} here")


def environment(folder):
    """The binary under test is the one that the shell finds."""
    path = f"{os.path.dirname(BOUGH)}:{os.environ['PATH']}"
    return {**folder.env, "PATH": path, "TERM": "xterm", "PS1": "> ", "HOME": str(folder.path),
            "LC_ALL": "C.UTF-8", "PROMPT": "> "}


def types_and_tabs(folder, shell, command, setup):
    """A person at a prompt who presses the tab."""
    shell_is_there(shell)
    folder.start(TREE)
    folder.write("orchard.json", TREE)
    with terminal(command, environment(folder), cwd=folder.path) as one:
        one.type(setup + "; echo rea''dy\r")
        one.shows("ready")
        for typed, becomes in (("bough shutd\t", "bough shutdown"),
                               ("bough status --fol\t", "bough status --follow"),
                               ("bough restart /till/d\t--w\t",
                                "bough restart /till/drawer --wait"),
                               ("bough call /tally incr\t", "bough call /tally increment"),
                               ("bough check orch\t", "bough check orchard.json"),
                               ("bough kill /tally --reason norm\t",
                                "bough kill /tally --reason normal")):
            one.type(typed)
            one.shows(becomes)
            one.type("\x15")


@fact
def bash_completes(folder):
    types_and_tabs(folder, "bash", ["bash", "--norc", "--noprofile", "-i"],
                   'bind "set bell-style none"; eval "$(bough completion bash)"')


@fact
def zsh_completes(folder):
    types_and_tabs(folder, "zsh", ["zsh", "-f", "-i"],
                   'unsetopt beep; PROMPT="> "; autoload -Uz compinit; compinit -u -D; '
                   'eval "$(bough completion zsh)"')


@fact
def fish_completes(folder):
    shell_is_there("fish")
    folder.start(TREE)
    folder.write("orchard.json", TREE)
    (folder.path / "config/fish").mkdir(parents=True)
    for typed, expected in (("bough shutd", "shutdown\tstop the tree, in order"),
                            ("bough status --fol", "--follow\tgo on, until interrupted"),
                            ("bough restart /till/d", "/till/drawer\tkv, running"),
                            ("bough call /tally incr", "increment"),
                            ("bough check orch", "orchard.json"),
                            ("bough kill /tally --reason norm", "normal")):
        done = subprocess.run(
            ["fish", "--no-config", "-c",
             "bough completion fish | source; complete -C $argv[1]", typed],
            env={**environment(folder), "XDG_CONFIG_HOME": str(folder.path / "config")},
            capture_output=True, text=True, cwd=folder.path)
        same(done.stderr, "")
        contains(done.stdout, expected)
        same(len(done.stdout.splitlines()), 1, typed + done.stdout)


main()
