/* main.c - bough-bench: runs one benchmark and prints its results, a JSON line each.
 *
 * A ratio is worth more than a figure: tools/compare runs this beside the peers.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/tools/bench/bench.h>

enum { USAGE = 2 };

static const struct {
    const char *name;
    const char *threads; /* on how many: "same", one, or "threads", two */
    void (*run)(uint64_t n);
    uint64_t n; /* half a second to two of it */
    const char *help;
} benches[] = {
    { "pingpong", "same", bench_pingpong, 10000000, "a round trip between two actors" },
    { "pingpong", "threads", bench_pingpong_threads, 200000,
      "the same across threads, and without looking long before they sleep" },
    { "ring", "same", bench_ring, 10000000,
      "a token's hop in rings of 1,000 and 100,000" },
    { "fanin", "same", bench_fanin, 10000000,
      "a message of one of 100 senders to one actor" },
    { "fanin", "threads", bench_fanin_threads, 10000000,
      "the same to an actor on another thread" },
    { "request", "same", bench_request, 5000000, "a call, with a deadline on each" },
    { "spawn", "same", bench_spawn, 1000000, "an idle actor started, and its memory" },
    { "restart", "same", bench_restart, 200000,
      "a crash, until the new lives have begun" },
    { "kv", "same", bench_kv, 2000000, "a set or a get of 16 bytes among 100,000 keys" },
    { "procmsg", "same", bench_procmsg, 2000000,
      "a call to an actor in a process, also asleep, and a message to it" },
    { "procspawn", "same", bench_procspawn, 2000,
      "a process killed, until its next life runs a message" },
    { "grow", "same", bench_grow, 5000000,
      "a message to each of 1,000 to 1,000,000 actors" },
    { "latency", "same", bench_latency, 5000, "a descriptor's wait among busy actors" },
};

static void print_usage(FILE *out)
{
    fprintf(out, "usage: bough-bench BENCH[/same|/threads] [N]\n"
                 "       bough-bench supervise PROGRAM N\n\n"
                 "Runs a benchmark of N operations and prints a JSON line a result; or\n"
                 "keeps N processes of a program running until it is killed itself.\n\n");
    for (size_t i = 0; i < bough_count_of(benches); i++) {
        char name[32];

        snprintf(name, sizeof(name), "%s/%s", benches[i].name, benches[i].threads);
        fprintf(out, "  %-17s %s (N: %" PRIu64 ")\n", name, benches[i].help,
                benches[i].n);
    }
}

/* "pingpong" asks for all of them, "pingpong/same" for one. */
static bool is_asked(size_t i, const char *text)
{
    const size_t len = strlen(benches[i].name);

    if (strncmp(text, benches[i].name, len) != 0) return false;
    return text[len] == '\0' ||
           (text[len] == '/' && strcmp(text + len + 1, benches[i].threads) == 0);
}

static int refuse(const char *what, const char *text)
{
    fprintf(stderr, "bough-bench: %s \"%s\"; try bough-bench --help\n", what, text);
    return USAGE;
}

/* False unless the text is a number from 1 to a billion. */
static bool parse_count(const char *text, uint64_t *n)
{
    char *end;

    errno = 0;
    *n = strtoull(text, &end, 10);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && *n >= 1 &&
           *n <= 1000000000;
}

static int run(size_t i, const char *count)
{
    uint64_t n = benches[i].n;

    if (count != NULL && !parse_count(count, &n)) {
        return refuse("N is a number from 1 to 1000000000, not", count);
    }
    benches[i].run(n);
    return EXIT_SUCCESS;
}

static int supervise(const char *program, const char *count)
{
    uint64_t n;

    if (!parse_count(count, &n))
        return refuse("N is a number from 1 to 1000000000, not", count);
    bench_supervise(program, n);
}

int main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_usage(stdout);
        return EXIT_SUCCESS;
    }
    if (argc == 4 && strcmp(argv[1], "supervise") == 0)
        return supervise(argv[2], argv[3]);
    if (argc != 2 && argc != 3) {
        print_usage(stderr);
        return USAGE;
    }
    int result = -1;

    for (size_t i = 0; i < bough_count_of(benches); i++) {
        if (result <= EXIT_SUCCESS && is_asked(i, argv[1])) result = run(i, argv[2]);
    }
    return result >= 0 ? result : refuse("no benchmark", argv[1]);
}
