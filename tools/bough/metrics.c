/* metrics.c - the figures of a tree in the text format of Prometheus, version 0.0.4.
 *
 * A table of families; each prints its samples of one place, or those of the whole tree.
 * Names and units are as https://prometheus.io/docs/practices/naming says: seconds and
 * bytes, counters end in _total. A state is a series of 0 or 1 for each that there is, as
 * other exporters have it: so that it can be counted, and an alert can name it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/metrics.h>

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/tools/bough/figures.h>
#include <bough/tools/bough/output.h>

enum { PIECE = 64 }; /* places in one piece */

struct family {
    const char *name, *type, *help;
    /* One of the two. */
    void (*place)(FILE *file, const char *name, struct bough_figure *figure);
    void (*tree)(FILE *file, const char *name, const struct bough_figures *figures);
};

struct bough_metrics {
    struct bough_figures *figures;
    size_t family, place; /* what comes next */
};

/* Values */

/* A label's value of any bytes. */
static void print_label(FILE *file, const char *text)
{
    json_t *clean = bough_output_string(text);
    const char *at = json_string_value(clean);

    for (; at != NULL && *at != '\0'; at++) {
        if (*at == '\n') {
            fputs("\\n", file);
            continue;
        }
        if (*at == '\\' || *at == '"') fputc('\\', file);
        fputc(*at, file);
    }
    json_decref(clean);
}

static void print_seconds(FILE *file, int64_t ms)
{
    fprintf(file, "%" PRId64 ".%03d\n", ms / 1000, (int)(ms % 1000));
}

/* NAME{path="..."} and a blank; of a path each byte may stand for itself. */
static void print_name(FILE *file, const char *name, const struct bough_figure *figure)
{
    fprintf(file, "%s{path=\"%s\"} ", name, figure->info.path);
}

static void print_count(FILE *file, const char *name, const struct bough_figure *figure,
                        uint64_t count)
{
    print_name(file, name, figure);
    fprintf(file, "%" PRIu64 "\n", count);
}

/* Of one place */

static void actor_info(FILE *file, const char *name, struct bough_figure *figure)
{
    const struct bough_place_info *info = &figure->info;

    fprintf(file, "%s{path=\"%s\",type=\"", name, info->path);
    print_label(file, info->type->name);
    fprintf(file, "\",restart=\"%s\",isolation=\"%s\"} 1\n",
            info->restart != NULL ? info->restart : "",
            info->isolation != NULL ? info->isolation : "inline");
}

/* "reserved" and "stopped" are one for people, and have one name. */
static void actor_state(FILE *file, const char *name, struct bough_figure *figure)
{
    const enum bough_place_state state = figure->info.state == BOUGH_PLACE_RESERVED
                                             ? BOUGH_PLACE_STOPPED
                                             : figure->info.state;

    for (int i = BOUGH_PLACE_STARTING; i < BOUGH_PLACE_STATE_COUNT; i++)
        fprintf(file, "%s{path=\"%s\",state=\"%s\"} %d\n", name, figure->info.path,
                bough_place_state_name((enum bough_place_state)i), (int)state == i);
}

static void actor_uptime(FILE *file, const char *name, struct bough_figure *figure)
{
    print_name(file, name, figure);
    print_seconds(file, figure->info.uptime_ms);
}

static void actor_restarts(FILE *file, const char *name, struct bough_figure *figure)
{
    print_count(file, name, figure, figure->info.restarts);
}

static void actor_exits(FILE *file, const char *name, struct bough_figure *figure)
{
    for (int i = 0; i < BOUGH_EXIT_KIND_COUNT; i++) {
        if (figure->exits[i] == 0) continue;
        fprintf(file, "%s{path=\"%s\",reason=\"%s\"} %" PRIu64 "\n", name,
                figure->info.path, bough_exit_kind_name((enum bough_exit_kind)i),
                figure->exits[i]);
    }
}

static void mailbox_messages(FILE *file, const char *name, struct bough_figure *figure)
{
    print_count(file, name, figure, figure->info.mailbox_length);
}

static void mailbox_capacity(FILE *file, const char *name, struct bough_figure *figure)
{
    print_count(file, name, figure, figure->info.mailbox_capacity);
}

static void mailbox_dropped(FILE *file, const char *name, struct bough_figure *figure)
{
    print_count(file, name, figure, figure->info.dropped);
}

static void messages_run(FILE *file, const char *name, struct bough_figure *figure)
{
    print_count(file, name, figure, figure->info.handled);
}

static void quarantined(FILE *file, const char *name, struct bough_figure *figure)
{
    print_count(file, name, figure, figure->info.quarantined);
}

/* Each bucket counts those before it, too. */
static void call_duration(FILE *file, const char *name, struct bough_figure *figure)
{
    const struct bough_latency *latency = figure->latency;
    const char *path = figure->info.path;
    uint64_t count = 0;

    if (latency == NULL) return;
    for (unsigned i = 0; i < BOUGH_LATENCY_BUCKETS - 1; i++) {
        const uint64_t us = bough_latency_limit_ns(i) / 1000;

        count += latency->counts[i];
        fprintf(file,
                "%s_bucket{path=\"%s\",le=\"%" PRIu64 ".%06" PRIu64 "\"} %" PRIu64 "\n",
                name, path, us / 1000000, us % 1000000, count);
    }
    count += latency->counts[BOUGH_LATENCY_BUCKETS - 1];
    fprintf(file, "%s_bucket{path=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, path, count);
    fprintf(file, "%s_sum{path=\"%s\"} %" PRIu64 ".%09" PRIu64 "\n", name, path,
            latency->sum_ns / 1000000000, latency->sum_ns % 1000000000);
    fprintf(file, "%s_count{path=\"%s\"} %" PRIu64 "\n", name, path, count);
}

/* All its processes so far. One that has just gone is known in a moment: a counter that
 * is missing for once is better than one that goes back. */
static void child_cpu(FILE *file, const char *name, struct bough_figure *figure)
{
    const struct bough_usage *usage = bough_figure_usage(figure);
    int64_t ms = figure->info.spent_ms;

    if (usage == NULL && (figure->info.pid != 0 || ms == 0)) return;
    if (usage != NULL) ms += usage->cpu_ms + usage->waited_ms;
    print_name(file, name, figure);
    print_seconds(file, ms);
}

static void child_memory(FILE *file, const char *name, struct bough_figure *figure)
{
    const struct bough_usage *usage = bough_figure_usage(figure);

    if (usage != NULL) print_count(file, name, figure, (uint64_t)usage->memory);
}

static void child_start(FILE *file, const char *name, struct bough_figure *figure)
{
    const struct bough_usage *usage = bough_figure_usage(figure);

    if (usage == NULL) return;
    print_name(file, name, figure);
    print_seconds(file, bough_usage_boot_time() * 1000 + usage->started_ms);
}

/* Of the tree */

static void build_info(FILE *file, const char *name, const struct bough_figures *figures)
{
    (void)figures;
    fprintf(file, "%s{version=\"%s\"} 1\n", name, BOUGH_VERSION);
}

static void tree_info(FILE *file, const char *name, const struct bough_figures *figures)
{
    fprintf(file, "%s{name=\"", name);
    print_label(file, figures->name);
    fputs("\"} 1\n", file);
}

static void actors(FILE *file, const char *name, const struct bough_figures *figures)
{
    for (int i = BOUGH_PLACE_STARTING; i < BOUGH_PLACE_STATE_COUNT; i++) {
        size_t count = figures->states[i];

        if (i == BOUGH_PLACE_STOPPED) count += figures->states[BOUGH_PLACE_RESERVED];
        fprintf(file, "%s{state=\"%s\"} %zu\n", name,
                bough_place_state_name((enum bough_place_state)i), count);
    }
}

static void loops(FILE *file, const char *name, const struct bough_figures *figures)
{
    fprintf(file, "%s %zu\n", name, figures->loops);
}

static void events(FILE *file, const char *name, const struct bough_figures *figures)
{
    fprintf(file, "%s %" PRIu64 "\n", name, figures->events);
}

static void own_cpu(FILE *file, const char *name, const struct bough_figures *figures)
{
    struct bough_usage usage;

    (void)figures;
    if (!bough_usage_read(getpid(), &usage)) return;
    fprintf(file, "%s ", name);
    print_seconds(file, usage.cpu_ms);
}

static void own_memory(FILE *file, const char *name, const struct bough_figures *figures)
{
    struct bough_usage usage;

    (void)figures;
    if (bough_usage_read(getpid(), &usage))
        fprintf(file, "%s %" PRId64 "\n", name, usage.memory);
}

static void own_addresses(FILE *file, const char *name,
                          const struct bough_figures *figures)
{
    struct bough_usage usage;

    (void)figures;
    if (bough_usage_read(getpid(), &usage))
        fprintf(file, "%s %" PRId64 "\n", name, usage.virtual);
}

static void own_start(FILE *file, const char *name, const struct bough_figures *figures)
{
    struct bough_usage usage;

    (void)figures;
    if (!bough_usage_read(getpid(), &usage)) return;
    fprintf(file, "%s ", name);
    print_seconds(file, bough_usage_boot_time() * 1000 + usage.started_ms);
}

static void open_fds(FILE *file, const char *name, const struct bough_figures *figures)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    size_t count = 0;

    (void)figures;
    if (folder == NULL) return;
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    fprintf(file, "%s %zu\n", name, count - 1); /* that of the folder */
}

static void max_fds(FILE *file, const char *name, const struct bough_figures *figures)
{
    struct rlimit limit;

    (void)figures;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    fprintf(file, "%s %" PRIu64 "\n", name, (uint64_t)limit.rlim_cur);
}

/* The table */

static const struct family families[] = {
    { "bough_build_info", "gauge", "The version of Bough, as a label; always 1.",
      .tree = build_info },
    { "bough_tree_info", "gauge", "The name of the tree, as a label; always 1.",
      .tree = tree_info },
    { "bough_actors", "gauge", "Actors and supervisors of the tree by state.",
      .tree = actors },
    { "bough_loops", "gauge", "Loops that run actors, each on a thread of its own.",
      .tree = loops },
    { "bough_events_total", "counter", "Events since the tree began (bough events).",
      .tree = events },
    { "bough_actor_info", "gauge",
      "Type, restart policy and isolation of an actor, as labels; always 1.",
      .place = actor_info },
    { "bough_actor_state", "gauge", "1 for the state that an actor is in, else 0.",
      .place = actor_state },
    { "bough_actor_uptime_seconds", "gauge", "Time since the present life began; else 0.",
      .place = actor_uptime },
    { "bough_actor_restarts_total", "counter", "Restarts by the supervisor.",
      .place = actor_restarts },
    { "bough_actor_exits_total", "counter",
      "Lives that have ended, and starts that have failed, by reason.",
      .place = actor_exits },
    { "bough_mailbox_messages", "gauge", "Messages that wait.",
      .place = mailbox_messages },
    { "bough_mailbox_capacity", "gauge", "Messages that may wait.",
      .place = mailbox_capacity },
    { "bough_mailbox_dropped_total", "counter", "Messages that were refused or lost.",
      .place = mailbox_dropped },
    { "bough_messages_total", "counter", "Messages that were run.",
      .place = messages_run },
    { "bough_messages_quarantined", "gauge",
      "Messages that ended lives and were put away (bough quarantine).",
      .place = quarantined },
    { "bough_call_duration_seconds", "histogram",
      "Time from a question to its answer, whatever the outcome. Measured since somebody "
      "first asked for metrics.",
      .place = call_duration },
    { "bough_process_cpu_seconds_total", "counter",
      "Processor time of an actor's processes, all lives, with what they waited for.",
      .place = child_cpu },
    { "bough_process_resident_memory_bytes", "gauge",
      "Resident memory of an actor's process.", .place = child_memory },
    { "bough_process_start_time_seconds", "gauge",
      "Start of an actor's process, in seconds since 1970 UTC.", .place = child_start },
    { "process_cpu_seconds_total", "counter", "Processor time of bough itself.",
      .tree = own_cpu },
    { "process_resident_memory_bytes", "gauge", "Resident memory of bough itself.",
      .tree = own_memory },
    { "process_virtual_memory_bytes", "gauge", "Address space of bough itself.",
      .tree = own_addresses },
    { "process_start_time_seconds", "gauge",
      "Start of bough itself, in seconds since 1970 UTC.", .tree = own_start },
    { "process_open_fds", "gauge", "Descriptors that bough has open.", .tree = open_fds },
    { "process_max_fds", "gauge", "Descriptors that it may have open.", .tree = max_fds },
};

/* Printing */

struct bough_metrics *bough_metrics_new(struct bough_figures *figures)
{
    struct bough_metrics *metrics = calloc(1, sizeof(*metrics));

    if (metrics != NULL)
        metrics->figures = figures;
    else
        bough_figures_free(figures);
    return metrics;
}

void bough_metrics_free(struct bough_metrics *metrics)
{
    if (metrics == NULL) return;
    bough_figures_free(metrics->figures);
    free(metrics);
}

static void print_places(struct bough_metrics *metrics, const struct family *family,
                         FILE *file)
{
    struct bough_figures *figures = metrics->figures;
    const size_t end =
        figures->count - metrics->place > PIECE ? metrics->place + PIECE : figures->count;

    for (; metrics->place < end; metrics->place++)
        family->place(file, family->name, &figures->places[metrics->place]);
}

bool bough_metrics_print(struct bough_metrics *metrics, FILE *file)
{
    const struct family *family = &families[metrics->family];

    if (metrics->family == bough_count_of(families)) return false;
    if (metrics->place == 0)
        fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                family->name, family->type);
    if (family->tree != NULL)
        family->tree(file, family->name, metrics->figures);
    else
        print_places(metrics, family, file);
    if (family->tree == NULL && metrics->place < metrics->figures->count) return true;
    metrics->family++;
    metrics->place = 0;
    return true;
}
