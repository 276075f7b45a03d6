/* top.c - the rows of `bough top`: from two looks at a tree.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/top.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/public.h>
#include <bough/tools/bough/output.h>

const char *const bough_top_order_names[BOUGH_TOP_ORDER_COUNT] = {
    [BOUGH_TOP_TREE] = "tree",       [BOUGH_TOP_CPU] = "cpu",
    [BOUGH_TOP_MEMORY] = "memory",   [BOUGH_TOP_RATE] = "messages",
    [BOUGH_TOP_WAITING] = "mailbox", [BOUGH_TOP_RESTARTS] = "restarts",
    [BOUGH_TOP_UPTIME] = "uptime",   [BOUGH_TOP_STATE] = "state",
};

/* What one walk over a picture needs. */
struct walk {
    struct bough_top *top;
    json_t *before; /* places of the picture before, by path */
    double seconds; /* between the two; 0: there is none before */
    size_t capacity;
    bool failed;
};

bool bough_top_init(struct bough_top *top)
{
    memset(top, 0, sizeof(*top));
    top->folded = json_object();
    snprintf(top->selected, sizeof(top->selected), "/");
    top->page = 1;
    return top->folded != NULL;
}

void bough_top_finish(struct bough_top *top)
{
    json_decref(top->now.tree);
    json_decref(top->before.tree);
    json_decref(top->folded);
    free(top->rows);
    memset(top, 0, sizeof(*top));
}

/* Numbers */

static int64_t number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* How much more it is than it was, in a second; below 0 when that cannot be said: one of
 * them is not known, or it began again. */
static double growth(int64_t now, int64_t before, double seconds)
{
    if (now < 0 || before < 0 || now < before || seconds <= 0) return -1;
    return (double)(now - before) / seconds;
}

/* Milliseconds of a processor in a second, as percent of it. */
static double percent(int64_t now_ms, int64_t before_ms, double seconds)
{
    const double ms = growth(now_ms, before_ms, seconds);

    return ms < 0 ? ms : ms / 10;
}

static void set_row(const struct walk *walk, struct bough_top_row *row,
                    const json_t *place, int depth)
{
    const json_t *mailbox = json_object_get(place, "mailbox");
    const char *path = bough_output_member(place, "path", "");
    const json_t *before = json_object_get(walk->before, path);
    const int64_t pid = number(place, "pid");

    *row = (struct bough_top_row){
        .path = path,
        .name = bough_output_member(place, "name", ""),
        .type = bough_output_member(place, "type", "-"),
        .state = bough_output_state(place, "-"),
        .depth = depth,
        .parent = json_array_size(json_object_get(place, "children")) > 0,
        .folded = json_object_get(walk->top->folded, path) != NULL,
        .restarts = number(place, "restarts"),
        .life = number(place, "life"),
        .uptime_ms = number(place, "uptime_ms"),
        .waiting = number(mailbox, "length"),
        .capacity = number(mailbox, "capacity"),
        .memory = number(place, "memory"),
        .cpu = -1,
        .rate =
            growth(number(place, "handled"), number(before, "handled"), walk->seconds),
    };
    if (pid > 0 && pid == number(before, "pid"))
        row->cpu =
            percent(number(place, "cpu_ms"), number(before, "cpu_ms"), walk->seconds);
}

/* All rows count, seen or not; a process once, wherever more than one row is of it. */
static void count_row(struct bough_top_totals *totals, const struct bough_top_row *row,
                      bool new_process)
{
    totals->actors++;
    totals->running += strcmp(row->state, "running") == 0;
    if (row->restarts > 0) totals->restarts += row->restarts;
    if (row->waiting > 0) totals->waiting += row->waiting;
    if (row->rate > 0) totals->rate += row->rate;
    if (new_process && row->memory > 0) totals->memory += row->memory;
    if (new_process && row->cpu > 0) totals->cpu += row->cpu;
}

/* Which rows are seen */

static bool matches(const struct bough_top *top, const json_t *place)
{
    return strstr(bough_output_member(place, "path", ""), top->filter) != NULL;
}

/* In the tree those above a match are seen, too. */
static bool is_seen(const struct bough_top *top, const json_t *place)
{
    const json_t *child;
    size_t index;

    if (top->filter[0] == '\0' || matches(top, place)) return true;
    if (top->order != BOUGH_TOP_TREE) return false;
    json_array_foreach (json_object_get(place, "children"), index, child)
        if (is_seen(top, child)) return true;
    return false;
}

static void add_row(struct walk *walk, const struct bough_top_row *row)
{
    struct bough_top *top = walk->top;

    if (top->count == walk->capacity) {
        const size_t capacity = walk->capacity > 0 ? 2 * walk->capacity : 64;
        struct bough_top_row *more = realloc(top->rows, capacity * sizeof(*more));

        walk->failed = more == NULL;
        if (more == NULL) return;
        top->rows = more;
        walk->capacity = capacity;
    }
    top->rows[top->count++] = *row;
}

/* `pid` is that of the process above; `shown` is false below what is folded. */
static void walk_place(struct walk *walk, const json_t *place, int depth, int64_t pid,
                       bool shown)
{
    const json_t *children = json_object_get(place, "children"), *child;
    const int64_t own = number(place, "pid");
    struct bough_top_row row;
    size_t index;

    if (walk->failed) return;
    set_row(walk, &row, place, depth);
    count_row(&walk->top->totals, &row, own > 0 && own != pid);
    if (shown && is_seen(walk->top, place)) add_row(walk, &row);
    /* What is searched for is found wherever it is; a list has nothing to fold. */
    if (row.folded && walk->top->filter[0] == '\0' && walk->top->order == BOUGH_TOP_TREE)
        shown = false;
    json_array_foreach (children, index, child)
        walk_place(walk, child, depth + 1, own > 0 ? own : pid, shown);
}

/* Order */

static double key_of(const struct bough_top_row *row, enum bough_top_order order)
{
    switch (order) {
    case BOUGH_TOP_CPU: return row->cpu;
    case BOUGH_TOP_MEMORY: return (double)row->memory;
    case BOUGH_TOP_RATE: return row->rate;
    case BOUGH_TOP_WAITING: return (double)row->waiting;
    case BOUGH_TOP_RESTARTS: return (double)row->restarts;
    case BOUGH_TOP_UPTIME: return -(double)row->uptime_ms; /* the youngest first */
    case BOUGH_TOP_STATE: return strcmp(row->state, "running") != 0;
    case BOUGH_TOP_TREE:
    case BOUGH_TOP_ORDER_COUNT: break;
    }
    return 0;
}

/* The largest first, and those that are alike by path, so that they do not dance. */
static int compare(const void *left, const void *right, void *data)
{
    const struct bough_top *top = data;
    const struct bough_top_row *one = left, *other = right;
    const double a = key_of(one, top->order), b = key_of(other, top->order);

    if (a != b) return a > b ? -1 : 1;
    return strcmp(one->path, other->path);
}

/* The whole */

static int index_places(json_t *places, json_t *place)
{
    json_t *child;
    size_t index;

    if (json_object_set(places, bough_output_member(place, "path", ""), place) != 0)
        return -1;
    json_array_foreach (json_object_get(place, "children"), index, child)
        if (index_places(places, child) != 0) return -1;
    return 0;
}

/* Whoever is asked about, or whose log is shown, is not exchanged for somebody else. */
static void selected_is_gone(struct bough_top *top)
{
    if (top->mode == BOUGH_TOP_LOG || top->mode == BOUGH_TOP_EVENTS) {
        if (top->at >= top->count) top->at = top->count > 0 ? top->count - 1 : 0;
        return;
    }
    if (top->mode == BOUGH_TOP_CONFIRM) {
        top->mode = BOUGH_TOP_TABLE;
        snprintf(top->message, sizeof(top->message), "%.200s is not there any more",
                 top->selected);
    }
    bough_top_select(top, top->at);
}

/* The row of the path that is selected, else the one that is there now. */
static void find_selected(struct bough_top *top)
{
    for (size_t i = 0; i < top->count; i++) {
        if (strcmp(top->rows[i].path, top->selected) != 0) continue;
        bough_top_select(top, i);
        return;
    }
    selected_is_gone(top);
}

static double seconds_between(const struct bough_top *top)
{
    if (top->before.tree == NULL) return 0;
    return (double)(top->now.at_ms - top->before.at_ms) / 1000;
}

bool bough_top_update(struct bough_top *top)
{
    struct walk walk = { .top = top, .seconds = seconds_between(top) };
    json_t *root = json_object_get(top->now.tree, "root");
    json_t *old = json_object_get(top->before.tree, "root");
    double own_cpu;

    walk.before = json_object();
    walk.failed =
        walk.before == NULL || (old != NULL && index_places(walk.before, old) != 0);
    free(top->rows);
    top->rows = NULL;
    top->count = 0;
    top->totals = (struct bough_top_totals){ .actors = 0 };
    if (root != NULL) walk_place(&walk, root, 0, 0, true);
    json_decref(walk.before);
    if (walk.failed) {
        top->count = 0;
        return false;
    }
    if (top->now.memory > 0) top->totals.memory += top->now.memory;
    own_cpu = percent(top->now.cpu_ms, top->before.cpu_ms, walk.seconds);
    if (own_cpu > 0) top->totals.cpu += own_cpu;
    if (top->order != BOUGH_TOP_TREE && top->count > 1)
        qsort_r(top->rows, top->count, sizeof(*top->rows), compare, top);
    find_selected(top);
    return true;
}

bool bough_top_take(struct bough_top *top, const struct bough_top_picture *picture)
{
    /* Another process at the same socket: nothing is known of before. */
    const bool same = number(top->now.tree, "pid") == number(picture->tree, "pid");

    json_decref(top->before.tree);
    top->before = top->now;
    top->now = *picture;
    if (!same) {
        json_decref(top->before.tree);
        top->before = (struct bough_top_picture){ .tree = NULL };
    }
    return bough_top_update(top);
}

void bough_top_fit(struct bough_top *top, size_t page)
{
    top->page = page > 0 ? page : 1;
    if (top->mode == BOUGH_TOP_LOG || top->mode == BOUGH_TOP_EVENTS) return;
    if (top->at < top->first) top->first = top->at;
    if (top->at >= top->first + top->page) top->first = top->at - top->page + 1;
    /* No empty lines while rows are out of sight above. */
    if (top->first + top->page > top->count)
        top->first = top->count > top->page ? top->count - top->page : 0;
}

void bough_top_select(struct bough_top *top, size_t index)
{
    if (top->count == 0) {
        top->at = 0;
        return;
    }
    top->at = index < top->count ? index : top->count - 1;
    snprintf(top->selected, sizeof(top->selected), "%s", top->rows[top->at].path);
}

void bough_top_fold(struct bough_top *top, bool folded)
{
    if (top->count == 0) return;
    if (folded)
        (void)json_object_set_new(top->folded, top->selected, json_true());
    else
        json_object_del(top->folded, top->selected);
}
