/* verbs.c - what the program can be told on its command line: the tables.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/verbs.h>

#include <limits.h>
#include <string.h>

#include <bough/config/suggest.h>
#include <bough/core/public.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

const struct bough_option bough_options[BOUGH_OPTION_COUNT] = {
    [BOUGH_OPTION_HELP] = { "help", 'h', NULL, NULL, "say this" },
    [BOUGH_OPTION_JSON] = { "json", 'j', NULL, NULL, "print JSON, for programs" },
    [BOUGH_OPTION_STRICT] = { "strict", 'S', NULL, NULL, "take warnings for errors" },
    [BOUGH_OPTION_CONTROL] = { "control", 'c', "PATH", NULL, "the control socket" },
    [BOUGH_OPTION_NAME] = { "name", 'n', "NAME", NULL, "the tree, where several run" },
    [BOUGH_OPTION_METRICS] = { "metrics", 'm', "ADDR", NULL,
                               "serve metrics: 9464, 0.0.0.0:9464, [::]:9464" },
    [BOUGH_OPTION_FOLLOW] = { "follow", 'f', NULL, NULL, "go on, until interrupted" },
    [BOUGH_OPTION_LINES] = { "lines", 'l', "N", NULL, "the last N; 100 when not given" },
    [BOUGH_OPTION_LEVEL] = { "level", 0, "LEVEL", "debug info warning error",
                             "and above: debug, info (default), warning, error" },
    [BOUGH_OPTION_ONCE] = { "once", 'b', NULL, NULL, "print one picture, as text" },
    [BOUGH_OPTION_EVERY] = { "every", 'd', "TIME", NULL,
                             "how often to look; 1s when not given" },
    [BOUGH_OPTION_SINCE] = { "since", 's', "SEQ", NULL, "only events after that number" },
    [BOUGH_OPTION_TIMEOUT] = { "timeout", 't', "TIME", NULL,
                               "how long to wait: 500ms, 5s, 2m, infinity" },
    [BOUGH_OPTION_PRIORITY] = { "priority", 'p', "PRIORITY", "normal high",
                                "normal, or high: before all that is normal" },
    [BOUGH_OPTION_REASON] = { "reason", 'r', "REASON",
                              "normal shutdown error kill signal:",
                              "normal, shutdown, error (default), kill or signal:NAME" },
    [BOUGH_OPTION_PUT_BACK] = { "put-back", 0, NULL, NULL, "to the end of its mailbox" },
    [BOUGH_OPTION_DROP] = { "drop", 0, NULL, NULL, "forget it" },
    [BOUGH_OPTION_WAIT] = { "wait", 'w', NULL, NULL, "return when it is done" },
    [BOUGH_OPTION_SEED] = { "seed", 0, "N", NULL,
                            "where chance begins; 1 when not given" },
    [BOUGH_OPTION_FOR] = { "for", 0, "TIME", NULL, "how long; 1h when not given" },
    [BOUGH_OPTION_CRASH] = { "crash", 0, "WHAT", NULL,
                             "PATH@TIME, PATH=every:TIME or rate:PATH=N/TIME" },
    [BOUGH_OPTION_START_FAILS] = { "start-fails", 0, "PATH=N", NULL,
                                   "its next N starts fail" },
    [BOUGH_OPTION_SLOW_START] = { "slow-start", 0, "PATH=TIME", NULL,
                                  "it takes so long to be ready" },
    [BOUGH_OPTION_SLOW_STOP] = { "slow-stop", 0, "PATH=TIME", NULL,
                                 "it takes so long to end when asked" },
    [BOUGH_OPTION_HANG_STOP] = { "hang-stop", 0, "PATH", NULL,
                                 "it never ends when asked" },
    [BOUGH_OPTION_RUNS] = { "runs", 0, "N", NULL,
                            "so many runs, each with the next seed" },
    [BOUGH_OPTION_TIMELINE] = { "timeline", 0, NULL, NULL, "all that happens" },
    [BOUGH_OPTION_QUIET] = { "quiet", 'q', NULL, NULL, "no timeline" },
    [BOUGH_OPTION_FAIL_ON_GIVE_UP] = { "fail-on-give-up", 0, NULL, NULL,
                                       "exit code 70 when the tree gives up" },
    [BOUGH_OPTION_DETAILED_EXITCODE] = { "detailed-exitcode", 0, NULL, NULL,
                                         "exit code 3 when there is something to do" },
};

enum {
    JSON = 1 << BOUGH_OPTION_JSON,
    STRICT = 1 << BOUGH_OPTION_STRICT,
    FOLLOW = 1 << BOUGH_OPTION_FOLLOW,
    SINCE = 1 << BOUGH_OPTION_SINCE,
    TIMEOUT = 1 << BOUGH_OPTION_TIMEOUT,
    PRIORITY = 1 << BOUGH_OPTION_PRIORITY,
    REASON = 1 << BOUGH_OPTION_REASON,
    SOCKET = 1 << BOUGH_OPTION_CONTROL | 1 << BOUGH_OPTION_NAME,
    WAIT = 1 << BOUGH_OPTION_WAIT | TIMEOUT,
    DETAILED = 1 << BOUGH_OPTION_DETAILED_EXITCODE,
    QUARANTINE = 1 << BOUGH_OPTION_PUT_BACK | 1 << BOUGH_OPTION_DROP,
    SIMULATE = 1 << BOUGH_OPTION_SEED | 1 << BOUGH_OPTION_FOR | 1 << BOUGH_OPTION_CRASH |
               1 << BOUGH_OPTION_START_FAILS | 1 << BOUGH_OPTION_SLOW_START |
               1 << BOUGH_OPTION_SLOW_STOP | 1 << BOUGH_OPTION_HANG_STOP |
               1 << BOUGH_OPTION_RUNS | 1 << BOUGH_OPTION_TIMELINE |
               1 << BOUGH_OPTION_QUIET | 1 << BOUGH_OPTION_FAIL_ON_GIVE_UP,
};

const struct bough_verb bough_verbs[] = {
    { .name = "run",
      .words = "FILE",
      .summary = "run a tree in the foreground",
      .text =
          "Starts the tree that FILE declares, keeps it running, and answers the other\n"
          "commands on a control socket: --control PATH, else $BOUGH_CONTROL, else\n"
          "NAME.sock, NAME being the tree's or that of --name, in $BOUGH_RUNTIME_DIR,\n"
          "else $XDG_RUNTIME_DIR/bough, else /run/bough. SIGTERM and SIGINT stop the tree\n"
          "in order, a second one at once; SIGHUP makes loggers open their files again, and\n"
          "applies FILE as it is now (`bough help apply`), with what came of it in the log\n"
          "and the events.\n"
          "\n"
          "--metrics, or \"metrics\" in FILE, serves the figures of the tree over HTTP, as\n"
          "`bough metrics` prints them, at /metrics: to this machine alone, when ADDR is\n"
          "only a port.\n"
          "\n"
          "Exit code: 0 stopped in order; 1 stopped at once, or failed; 69 a child could\n"
          "not start; 70 the tree gave up; 78 FILE is wrong. Where the tree has exit_with,\n"
          "it is the exit code of that command, 128 and its number after a signal; when the\n"
          "command has ended well and the tree has not, the tree's.\n",
      .examples = "bough run shop.json\n"
                  "bough run --name shop2 --metrics 9464 shop.json\n",
      .options = SOCKET | 1 << BOUGH_OPTION_METRICS,
      .least = 1,
      .most = 1,
      .run = bough_cmd_run },
    { .name = "check",
      .words = "FILE",
      .summary = "say all that is wrong with a tree, and what its limits mean",
      .text =
          "Reads FILE and starts nothing. Every error is reported with its place; of a tree\n"
          "that is right, what it hardly means (a limit that can never be passed, a stop\n"
          "that is cut short), how many starts its limits allow before it gives up, how\n"
          "long it may take to stop, and what would keep it from starting on this machine,\n"
          "by this user (a \"user\" that is not there). Exit code: 0 right, 78 wrong, with\n"
          "--strict also when there are warnings.\n",
      .examples = "bough check shop.json\n"
                  "bough check --strict --json shop.json | jq .warnings\n",
      .options = JSON | STRICT,
      .least = 1,
      .most = 1,
      .run = bough_cmd_check },
    { .name = "simulate",
      .words = "FILE",
      .summary = "see what a tree's limits do, in virtual time",
      .text =
          "Runs the tree of FILE with its real supervisors and with actors that do nothing\n"
          "but crash as told, and says what came of it. An hour takes a moment, and the\n"
          "same seed gives the same bytes.\n"
          "\n"
          "  --crash /store@3s            once, three seconds after the start\n"
          "  --crash /store=every:10s     every ten seconds\n"
          "  --crash rate:/store=2/1m     by chance, twice a minute on average\n"
          "  --start-fails /store=2       its first start works, the next two fail\n"
          "  --slow-start, --slow-stop    how long it takes; --hang-stop: for ever\n"
          "\n"
          "All may be given more than once. With @ a supervisor crashes by itself; all else\n"
          "means each actor below, when PATH is a supervisor. With --runs it is done again\n"
          "with the seeds that follow, and the answer is the distribution.\n",
      .examples = "bough simulate shop.json --crash /store@3s\n"
                  "bough simulate shop.json --for 1d --crash rate:/=1/1h --runs 1000\n",
      .options = JSON | SIMULATE,
      .least = 1,
      .most = 1,
      .run = bough_cmd_simulate },
    { .name = "tree",
      .words = "[FILE]",
      .summary = "draw a tree: the one in FILE, or the one that runs",
      .text = "With FILE nothing needs to run.\n",
      .examples = "bough tree shop.json\n"
                  "bough tree\n",
      .options = JSON | SOCKET,
      .most = 1,
      .run = bough_cmd_tree },
    { .name = "graph",
      .words = "[FILE]",
      .summary = "print a tree for Graphviz: the one in FILE, or the one that runs",
      .text =
          "In the language of dot(1). A box stands around what lives on a thread or in a\n"
          "process of its own, and a dashed edge leads to what is not restarted always.\n"
          "Of a tree that runs, the states are colours, and lives, restarts and pids are\n"
          "shown. With FILE nothing needs to run.\n",
      .examples = "bough graph shop.json | dot -Tsvg > shop.svg\n"
                  "bough graph --name shop | dot -Tpng > now.png\n",
      .options = SOCKET,
      .most = 1,
      .run = bough_cmd_graph },
    { .name = "status",
      .words = "[PATH]",
      .summary = "show what each actor is doing",
      .text =
          "One line for each actor at PATH and below, parents first, in start order.\n"
          "With --follow the table is shown anew every second. --json prints an array of\n"
          "objects: path, type, state, life, restarts, restart, isolation, pid, memory and\n"
          "cpu_ms (of the process: bytes, and processor time used), stuck (a handler runs\n"
          "for longer than \"stuck_after\"), uptime_ms, mailbox (length, capacity,\n"
          "dropped), handled, quarantined (messages that ended lives, see `bough help\n"
          "quarantine`), and of supervisors strategy, intensity, period_ms.\n",
      .examples = "bough status\n"
                  "bough status /jobs --json\n",
      .options = JSON | FOLLOW | SOCKET,
      .most = 1,
      .run = bough_cmd_status },
    { .name = "top",
      .words = "",
      .summary = "watch the tree on a full screen, and act on it",
      .text =
          "A table of all actors that is made anew every second: state, restarts, messages\n"
          "that wait, processor time and memory (of those in a process of their own, of all\n"
          "together at the top), messages a second, life, uptime; \"-\" where it is not\n"
          "known. Keys: arrows, j, PgUp, PgDn move; left, right hide and show what is below;\n"
          "o sorts, / filters; l or Enter follows the log, e the events; r restarts, s stops\n"
          "or starts, k kills, after a question; ? tells all, q leaves. When the tree ends\n"
          "the last picture stays, and the tree is looked for until it comes back.\n"
          "\n"
          "--once prints one picture with every actor as text, for a script: two looks,\n"
          "--every apart.\n",
      .examples = "bough top\n"
                  "bough top --once --every 200ms\n",
      .options = 1 << BOUGH_OPTION_ONCE | 1 << BOUGH_OPTION_EVERY | SOCKET,
      .run = bough_cmd_top },
    { .name = "events",
      .words = "",
      .summary = "show what has happened, in order",
      .text =
          "The last 10,000 events are kept; --follow goes on with those to come. --json\n"
          "prints one object a line: time, seq, event (started, ready, stopping, exited,\n"
          "restarting, removed, gave_up, crash_report, quarantined, stuck, unstuck, applying,\n"
          "applied, apply_failed), path, type, life, cause, and what the event has to say:\n"
          "reason, detail, attempt, crash, stuck_ms, backtrace ...\n",
      .examples = "bough events\n"
                  "bough events --follow --json | jq .path\n",
      .options = JSON | FOLLOW | SINCE | SOCKET,
      .run = bough_cmd_events },
    { .name = "logs",
      .words = "[PATH]",
      .summary = "show what actors have logged, and programs written",
      .text =
          "The last lines of the log from who lives at PATH and below, in whatever process:\n"
          "reports, and what the programs of commands wrote to the log. The last 10,000\n"
          "lines of the tree are kept, up to 4 MiB; --follow goes on with those to come,\n"
          "until the tree ends. Who reads too slowly loses lines, and is told how many.\n"
          "--json prints one object a line: time, level, path, stream (of what a program\n"
          "wrote: stdout or stderr), text; or missed, the number of lines that were lost.\n",
      .examples = "bough logs /web --follow\n"
                  "bough logs /jobs --lines 20 --level warning\n",
      .options =
          JSON | FOLLOW | 1 << BOUGH_OPTION_LINES | 1 << BOUGH_OPTION_LEVEL | SOCKET,
      .most = 1,
      .run = bough_cmd_logs },
    { .name = "metrics",
      .words = "",
      .summary = "print the figures of a tree, for Prometheus",
      .text =
          "The text format of Prometheus: of each actor its state, restarts, exits by\n"
          "reason, mailbox, messages and how long calls to it took, what its process uses;\n"
          "of the tree its actors, loops and events, and what bough itself uses. Calls are\n"
          "measured from the first time on that somebody asks for metrics.\n",
      .examples = "bough metrics\n"
                  "bough metrics | grep '^bough_actor_restarts_total'\n",
      .options = SOCKET,
      .run = bough_cmd_metrics },
    { .name = "why",
      .words = "PATH",
      .summary = "say how an actor came to be in its present state",
      .text =
          "The chain of causes, from the last 10,000 events. --json prints an object: path,\n"
          "text, complete (whether all events that led to this are still kept) and events.\n",
      .examples = "bough why /store\n",
      .options = JSON | SOCKET,
      .least = 1,
      .most = 1,
      .run = bough_cmd_why },
    { .name = "call",
      .words = "PATH MESSAGE [JSON]",
      .summary = "ask an actor, print its answer",
      .text =
          "JSON is an object of the message's fields; `bough types` lists them. The answer\n"
          "is one line of JSON on stdout; an error is one line on stderr. Without --timeout\n"
          "the answer may take 30s. Exit code: 1 the answer is an error, 4 no such path,\n"
          "7 no answer in time.\n",
      .examples =
          "bough call /counter increment\n"
          "bough call /store set '{\"key\": \"a\", \"value\": \"1\", \"ttl\": \"5s\"}'\n"
          "bough call /store get '{\"key\": \"a\"}' --priority high\n",
      .options = JSON | TIMEOUT | PRIORITY | SOCKET,
      .least = 2,
      .most = 3,
      .run = bough_cmd_call },
    { .name = "send",
      .words = "PATH MESSAGE [JSON]",
      .summary = "tell an actor, without waiting for an answer",
      .text = "As `call`; the exit code says whether the message was taken.\n",
      .examples = "bough send /log log '{\"level\": \"info\", \"text\": \"hello\"}'\n",
      .options = JSON | PRIORITY | SOCKET,
      .least = 2,
      .most = 3,
      .run = bough_cmd_send },
    { .name = "kill",
      .words = "PATH",
      .summary = "end an actor as if by itself, to see what its supervisor does",
      .text =
          "The reason decides: error is a fault, kill an end without being asked, normal\n"
          "and shutdown are good ends, after which a transient child is not restarted.\n"
          "An actor in a process of its own can be sent any signal, as in signal:SEGV; if\n"
          "it is still there a second later it is killed.\n",
      .examples = "bough kill /counter\n"
                  "bough kill /jobs --reason kill\n"
                  "bough kill /risky --reason signal:SEGV\n",
      .options = REASON | JSON | SOCKET,
      .least = 1,
      .most = 1,
      .run = bough_cmd_kill },
    { .name = "quarantine",
      .words = "PATH [N|all]",
      .summary = "look at the messages that ended an actor's lives, or put them back",
      .text =
          "A message during which so many lives ended as \"redeliver\" says (in a process\n"
          "one, else none unless it says so) is not run again: it waits here, at most 32 of\n"
          "one actor. Each has a number; without one all are meant. --put-back hands them\n"
          "to the actor again, behind what waits, with all their tries; when its mailbox\n"
          "is full they stay, exit code 1. --drop forgets them. --json prints an object:\n"
          "path, lost (those for which there was no room), messages, an array of number,\n"
          "time, type, message, fields (bytes, when it is none of the type's), priority,\n"
          "asked, sender (null: not known), life, lives, size, and the end that it was:\n"
          "reason, status, detail, signal, code.\n",
      .examples = "bough quarantine /risky\n"
                  "bough quarantine /risky 3 --json | jq .messages[0].fields\n"
                  "bough quarantine /risky --put-back 3\n"
                  "bough quarantine /risky --drop all\n",
      .options = QUARANTINE | JSON | SOCKET,
      .least = 1,
      .most = 2,
      .run = bough_cmd_quarantine },
    { .name = "start",
      .words = "PATH",
      .summary = "start an actor that is down",
      .text =
          "Asks its supervisor (restart_child), and returns when that is accepted, with\n"
          "--wait when the actor is ready. With --timeout it may give up waiting; what was\n"
          "asked for goes on. Exit code: 1 it runs, is being restarted, or did not start.\n",
      .examples = "bough start /store --wait\n",
      .options = WAIT | JSON | SOCKET,
      .least = 1,
      .most = 1,
      .run = bough_cmd_start },
    { .name = "stop",
      .words = "PATH",
      .summary = "stop an actor, and leave it down",
      .text =
          "Asks its supervisor (terminate_child): the actor ends in order, within its\n"
          "shutdown limit, and is not restarted; a restart that is due is given up. With\n"
          "--wait the command returns when it is down. A group restart starts it again.\n",
      .examples = "bough stop /store --wait --timeout 10s\n",
      .options = WAIT | JSON | SOCKET,
      .least = 1,
      .most = 1,
      .run = bough_cmd_stop },
    { .name = "restart",
      .words = "PATH",
      .summary = "stop an actor, and start it again",
      .text =
          "As stop, then start: it does not count as a restart, and its siblings run on.\n",
      .examples = "bough restart /store --wait\n",
      .options = WAIT | JSON | SOCKET,
      .least = 1,
      .most = 1,
      .run = bough_cmd_restart },
    { .name = "plan",
      .words = "[OLD] NEW",
      .summary = "say what would happen if the tree became what a file says",
      .text =
          "Compares the tree that runs with the one that NEW declares, by their paths, and\n"
          "changes nothing; with OLD, two files, and nothing needs to run. Says who would\n"
          "be stopped and started and in which order, which of its keys have changed (the\n"
          "values of environment variables are not shown; that an env_file says something\n"
          "else than when its command was started is), who would be restarted along by its\n"
          "supervisor's strategy, and what changes without a restart: how supervisors\n"
          "restart, and restart, shutdown, significant, backoff, start_timeout, policies,\n"
          "limits of restarts and the number of replicas of a child. What children were\n"
          "started at run time is kept, unless their supervisor is restarted or removed.\n"
          "--json prints an object: changes, added, removed, restarted, changed, kept (how\n"
          "many), children (path, act, type, below, keys, because, replaces) and steps (do,\n"
          "path).\n"
          "\n"
          "Exit code: 0 it was printed; with --detailed-exitcode 0 nothing to do, 3 there\n"
          "is something; 1 it cannot be done while the tree runs; 78 NEW is wrong.\n",
      .examples = "bough plan shop.json\n"
                  "bough plan --detailed-exitcode --json shop.json | jq .steps\n"
                  "bough plan old.json new.json\n",
      .options = DETAILED | JSON | SOCKET,
      .least = 1,
      .most = 2,
      .run = bough_cmd_plan },
    { .name = "apply",
      .words = "NEW",
      .summary = "make the tree that runs what a file says, as `plan` prints it",
      .text =
          "Stops what goes, last started first, changes supervisors, and starts what comes,\n"
          "each once the one before is ready. What the plan keeps lives on, with its\n"
          "messages and its state; messages to a child that is restarted wait for it. When\n"
          "something does not start, or all that is started is not ready within --timeout\n"
          "(1m without it), the tree is made what it was again. The command returns when it\n"
          "is over; left alone, the apply goes on. A second one meanwhile is refused; a\n"
          "shutdown is not kept up. Events: applying, applied, apply_failed.\n"
          "The root's metrics and exit_with hold from its beginning, and are given back when\n"
          "it fails.\n"
          "\n"
          "Exit code: 0 the tree is what NEW says; 1 something did not start, or it was\n"
          "refused; 7 not ready in time; 78 NEW is wrong. The tree is then what it was.\n",
      .examples = "bough apply shop.json\n"
                  "bough apply --timeout 10s shop.json || bough events | tail\n",
      .options = TIMEOUT | JSON | SOCKET,
      .least = 1,
      .most = 1,
      .run = bough_cmd_apply },
    { .name = "shutdown",
      .words = "",
      .summary = "stop the tree, in order",
      .text =
          "Returns when the tree is down and its socket is free. With --timeout it may give\n"
          "up waiting; the tree then goes on stopping.\n",
      .examples = "bough shutdown\n",
      .options = JSON | TIMEOUT | SOCKET,
      .run = bough_cmd_shutdown },
    { .name = "types",
      .words = "[NAME]",
      .summary = "describe the types of actors: options and messages",
      .text = "Nothing needs to run.\n",
      .examples = "bough types\n"
                  "bough types kv\n",
      .options = JSON,
      .most = 1,
      .run = bough_cmd_types },
    { .name = "schema",
      .words = "",
      .summary = "print the JSON Schema of a tree, for editors",
      .text =
          "Name it in the tree as \"$schema\" and an editor completes and checks it.\n",
      .examples = "bough schema > bough.schema.json\n",
      .run = bough_cmd_schema },
    { .name = "completion",
      .words = "SHELL",
      .summary = "print the completion for a shell: bash, zsh or fish",
      .text =
          "Commands, options, files, and of the tree that runs its paths and messages. It\n"
          "asks `bough completion words -- WORD...`, which prints how the last word, which\n"
          "may be empty, can go on: a line each, a tab before what it means, or :files.\n",
      .examples = "eval \"$(bough completion bash)\"\n"
                  "bough completion fish | source\n",
      .least = 1,
      .most = INT_MAX,
      .run = bough_cmd_completion },
    { .name = "manual",
      .words = "[PAGE]",
      .summary = "print a manual page: bough(1), or bough.json(5)",
      .text = "PAGE is bough, which is printed without it, or bough.json.\n",
      .examples = "bough manual | man -l -\n"
                  "bough manual bough.json | man -l -\n",
      .most = 1,
      .run = bough_cmd_manual },
    { .name = "version",
      .words = "",
      .summary = "print the version",
      .text = "",
      .examples = "bough version --json\n",
      .options = JSON,
      .run = bough_cmd_version },
    { .name = "help",
      .words = "[VERB]",
      .summary = "list the commands, or tell all about one",
      .text = "",
      .examples = "bough help call\n",
      .most = 1,
      .run = bough_cmd_help },
    { .name = NULL },
};

const struct bough_verb *bough_verb_find(const char *name)
{
    for (const struct bough_verb *verb = bough_verbs; verb->name != NULL; verb++) {
        if (strcmp(verb->name, name) == 0) return verb;
    }
    return NULL;
}

int bough_verb_unknown(const char *name)
{
    struct bough_suggestion suggestion = { .word = name };

    for (const struct bough_verb *verb = bough_verbs; verb->name != NULL; verb++) {
        bough_suggestion_offer(&suggestion, verb->name);
    }
    if (name[0] == '-') {
        bough_complain("no command \"%s\"; options come after the command, as in "
                       "`bough status --name NAME`",
                       name);
    } else if (suggestion.nearest != NULL) {
        bough_complain("no command \"%s\"; did you mean \"%s\"?", name,
                       suggestion.nearest);
    } else {
        bough_complain("no command \"%s\"; `bough help` lists them", name);
    }
    return BOUGH_CODE_USAGE;
}

void bough_verbs_print(FILE *file)
{
    fputs("bough - keeps a tree of actors running, and restarts what breaks\n\n"
          "usage: bough COMMAND [OPTION]... [ARGUMENT]...\n\n",
          file);
    for (const struct bough_verb *verb = bough_verbs; verb->name != NULL; verb++) {
        const int left = (int)(strlen(verb->name) + strlen(verb->words)) + 1;

        fprintf(file, "  %s %s%*s%s\n", verb->name, verb->words,
                left < 28 ? 28 - left : 1, "", verb->summary);
    }
    fputs("\n`bough help COMMAND` tells more of one, with an example.\n", file);
}

bool bough_verb_takes(const struct bough_verb *verb, int id)
{
    return id == BOUGH_OPTION_HELP || (verb->options & 1U << id) != 0;
}

static void print_option(FILE *file, const struct bough_option *option)
{
    const char *argument = option->argument != NULL ? option->argument : "";
    const int left = (int)(strlen(option->name) + strlen(argument));

    if (option->letter != 0)
        fprintf(file, "  -%c, ", option->letter);
    else
        fputs("      ", file);
    fprintf(file, "--%s %s%*s%s\n", option->name, argument, left < 22 ? 22 - left : 1, "",
            option->help);
}

void bough_verb_print(FILE *file, const struct bough_verb *verb)
{
    const char *line = verb->examples;

    fprintf(file, "bough %s - %s\n\n", verb->name, verb->summary);
    fprintf(file, "usage: bough %s [OPTION]...%s%s\n\n", verb->name,
            verb->words[0] != '\0' ? " " : "", verb->words);
    if (verb->text[0] != '\0') fprintf(file, "%s\n", verb->text);
    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        if (bough_verb_takes(verb, id)) print_option(file, &bough_options[id]);
    }
    fputs("\nexample:\n", file);
    while (*line != '\0') {
        const size_t length = strcspn(line, "\n");

        fprintf(file, "  %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}
