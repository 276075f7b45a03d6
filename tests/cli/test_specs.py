#!/usr/bin/env python3
"""Children by request: child specs and options as JSON on the command line.

SPDX-License-Identifier: MIT
"""

from bough_cli import child, fact, json, main, same, supervisor


def tree():
    return {"name": "specs", "children": [
        supervisor("jobs", [child("first", "counter")]),
        supervisor("dyn", [child("template", "counter", options={"initial": 5})],
                   strategy="dynamic")]}


def refused(folder, path, message, fields, text, status="invalid"):
    answer = folder.bough("call", path, message, json.dumps(fields), code=1)
    same(answer.stderr, f"bough: {path}: {status}: {text}\n")


@fact
def a_child_is_started_from_what_a_file_would_say(folder):
    folder.start(tree())
    spec = {"spec": {"name": "x", "type": "counter", "options": {"initial": 3}}}
    same(folder.ask("call", "/jobs", "start_child", json.dumps(spec)),
         {"path": "/jobs/x", "life": 1})
    same(folder.ask("call", "/jobs/x", "get_count"), {"count": 3})
    refused(folder, "/jobs", "start_child", spec, "/jobs/x runs already", "already_started")


@fact
def a_wrong_spec_is_refused_with_its_place(folder):
    folder.start(tree())
    for spec, text in (
            ({"name": "x", "type": "cuonter"},
             'unknown type "cuonter"; did you mean "counter"? (at /spec/type)'),
            ({"name": "x", "type": "counter", "shutdown": 5},
             '"shutdown" must be a duration such as "5s", "infinity" or "brutal-kill", not '
             'the number 5 (at /spec/shutdown)'),
            (supervisor("s", [child("a", "kv"), child("a", "kv")]),
             'duplicate name "a"; item 1 has it (at /spec/children/1/name)')):
        refused(folder, "/jobs", "start_child", {"spec": spec}, text)
    same([row["path"] for row in folder.ask("status", "/jobs", "--json")],
         ["/jobs", "/jobs/first"])


@fact
def a_spec_that_is_shown_starts_the_same_child_again(folder):
    folder.start(tree())
    shown = folder.ask("call", "/jobs", "get_child_spec", '{"name": "first"}')
    same((shown["spec"]["shutdown"], shown["spec"]["options"]), ("5s", {"initial": 0}))
    shown["spec"]["name"] = "second"
    folder.ask("call", "/jobs", "start_child", json.dumps(shown))
    again = folder.ask("call", "/jobs", "get_child_spec", '{"name": "second"}')
    same(again, shown)


@fact
def a_dynamic_supervisor_takes_options_of_its_template(folder):
    folder.start(tree())
    same(folder.ask("call", "/dyn", "start_child", '{"options": {"initial": 9}}'),
         {"path": "/dyn/1", "life": 1})
    same(folder.ask("call", "/dyn", "start_child", '{"name": "plain"}')["path"], "/dyn/plain")
    same(folder.ask("call", "/dyn/1", "get_count"), {"count": 9})
    same(folder.ask("call", "/dyn/plain", "get_count"), {"count": 5})
    refused(folder, "/dyn", "start_child", {"options": {"inital": 1}},
            'unknown option "inital"; did you mean "initial"? (at /options/inital)')
    refused(folder, "/jobs", "start_child", {"options": {"initial": 1}},
            'only a dynamic supervisor takes "options", for it has a template')


@fact
def a_child_in_a_process_shows_the_options_that_it_got(folder):
    log = child("log", "logger", isolation="process", options={"file": "one.log"})
    counter = child("t", "counter", isolation="process", options={"initial": 6})
    folder.start({"name": "specs", "children": [
        log, supervisor("dyn", [counter], strategy="dynamic"),
        supervisor("box", [child("c", "counter", isolation="thread", options={"initial": 7})],
                   isolation="process")]})

    def options(path, name):
        answer = folder.ask("call", path, "get_child_spec", json.dumps({"name": name}))
        return answer["spec"]["options"]

    same(options("/", "log")["file"], str(folder.path / "one.log"))
    folder.ask("call", "/dyn", "start_child", '{"name": "a"}')
    folder.ask("call", "/dyn", "start_child", '{"name": "b", "options": {"initial": 9}}')
    same([options("/dyn", "a"), options("/dyn", "b")], [{"initial": 6}, {"initial": 9}])
    same(options("/box", "c"), {"initial": 7})


if __name__ == "__main__":
    main()
