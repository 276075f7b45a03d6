/* scan.c - a recursive descent over JSON with comments and trailing commas.
 *
 * Each function begins at the first character of what it reads and leaves `at` behind it.
 * The first error stops the scan: `false` goes all the way up. The depth of the recursion
 * is bounded by BOUGH_CONFIG_NESTING_MAX.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/scan_internal.h>

#include <bough/config/scan_token_internal.h>

#include <stdlib.h>
#include <string.h>

/* A key of an object that is being read. */
struct key {
    const char *name;
    size_t len, offset;
};

/* The keys of all objects around, the innermost last. */
struct keys {
    struct key *items;
    size_t count, capacity;
};

struct scan {
    struct bough_scanner in;
    struct keys keys;
    struct bough_source source; /* for lines */
    int depth;
};

/* Duplicate keys */

static bool keys_push(struct scan *scan, size_t offset)
{
    struct keys *keys = &scan->keys;
    struct bough_arena *arena = scan->in.errors->arena;
    size_t len = bough_json_string(scan->in.text, offset, NULL, 0);
    char *name = bough_arena_alloc(arena, len + 1, 1);

    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity == 0 ? 64 : keys->capacity * 2;
        struct key *items = realloc(keys->items, capacity * sizeof(*items));

        if (items == NULL) arena->failed = true;
        if (items == NULL) return false;
        keys->items = items;
        keys->capacity = capacity;
    }
    if (name == NULL) return false;
    bough_json_string(scan->in.text, offset, name, len + 1);
    keys->items[keys->count++] =
        (struct key){ .name = name, .len = len, .offset = offset };
    return true;
}

static int key_compare(const void *a, const void *b)
{
    const struct key *left = a, *right = b;
    int order;

    if (left->len != right->len) return left->len < right->len ? -1 : 1;
    order = memcmp(left->name, right->name, left->len);
    if (order != 0) return order;
    return left->offset < right->offset ? -1 : 1;
}

static void report_duplicate(struct scan *scan, const struct key *first,
                             const struct key *again)
{
    const struct bough_json_place place = { .up = scan->in.place, .key = again->name };

    char quoted[BOUGH_QUOTED];
    int line, column;

    if (bough_errors_skip(scan->in.errors)) return;
    bough_source_position(&scan->source, first->offset, &line, &column);
    bough_errors_add_offset(scan->in.errors, again->offset, &place,
                            "duplicate key %s; it is already on line %d",
                            bough_quote(quoted, again->name), line);
}

/* Looks at the keys of the object that was read, `from` and later, and forgets them. */
static void keys_check(struct scan *scan, size_t from)
{
    struct key *items = scan->keys.items + from;
    size_t count = scan->keys.count - from;
    size_t first = 0;

    if (count > 1) qsort(items, count, sizeof(*items), key_compare);
    for (size_t i = 1; i < count; i++) {
        if (items[i].len == items[first].len &&
            memcmp(items[i].name, items[first].name, items[i].len) == 0)
            report_duplicate(scan, &items[first], &items[i]);
        else
            first = i;
    }
    scan->keys.count = from;
}

/* Arrays, objects, values */

static bool scan_value(struct scan *scan);

static bool enter(struct scan *scan)
{
    if (++scan->depth <= BOUGH_CONFIG_NESTING_MAX) return true;
    return bough_scan_error(&scan->in, scan->in.at, "nested deeper than %d levels",
                            BOUGH_CONFIG_NESTING_MAX);
}

/* After an element: a comma, which may be the last thing before `close`, or `close`. */
static bool scan_next(struct scan *scan, size_t opened, char close, bool *more)
{
    struct bough_scanner *in = &scan->in;
    size_t comma;

    if (!bough_scan_space(in)) return false;
    if (bough_scan_at_end(in)) return bough_scan_unclosed(in, opened);
    if (in->text[in->at] == close) {
        *more = false;
        return true;
    }
    if (in->text[in->at] != ',') return bough_scan_no_comma(in, close);
    comma = in->at++;
    if (!bough_scan_space(in)) return false;
    if (bough_scan_at_end(in)) return bough_scan_unclosed(in, opened);
    *more = in->text[in->at] != close;
    if (!*more) in->text[comma] = ' ';
    return true;
}

static bool scan_array(struct scan *scan)
{
    struct bough_scanner *in = &scan->in;
    struct bough_json_place place = { .up = in->place };
    size_t opened = in->at++;
    bool more, right = true;

    if (!bough_scan_space(in)) return false;
    if (bough_scan_at_end(in)) return bough_scan_unclosed(in, opened);
    more = in->text[in->at] != ']';
    while (more && right) {
        in->place = &place;
        right = scan_value(scan);
        in->place = place.up;
        right = right && scan_next(scan, opened, ']', &more);
        place.index++;
    }
    in->at++;
    return right;
}

/* "key": value */
static bool scan_member(struct scan *scan)
{
    struct bough_scanner *in = &scan->in;
    struct bough_json_place place = { .up = in->place };
    size_t key = in->at;
    bool right;

    if (in->text[in->at] != '"') return bough_scan_no_key(in);
    if (!bough_scan_string(in, true) || !keys_push(scan, key)) return false;
    place.key = scan->keys.items[scan->keys.count - 1].name;
    if (!bough_scan_space(in)) return false;
    if (bough_scan_at_end(in) || in->text[in->at] != ':') return bough_scan_no_colon(in);
    in->at++;
    if (!bough_scan_space(in)) return false;
    in->place = &place;
    right = scan_value(scan);
    in->place = place.up;
    return right;
}

static bool scan_object(struct scan *scan)
{
    struct bough_scanner *in = &scan->in;
    size_t opened = in->at++, from = scan->keys.count;
    bool more, right = true;

    if (!bough_scan_space(in)) return false;
    if (bough_scan_at_end(in)) return bough_scan_unclosed(in, opened);
    more = in->text[in->at] != '}';
    while (more && right)
        right = scan_member(scan) && scan_next(scan, opened, '}', &more);
    if (right) keys_check(scan, from);
    in->at++;
    return right;
}

static bool scan_value(struct scan *scan)
{
    struct bough_scanner *in = &scan->in;
    bool right;

    if (bough_scan_at_end(in)) return bough_scan_no_value(in);
    switch (in->text[in->at]) {
    case '{':
    case '[':
        if (!enter(scan)) return false;
        right = in->text[in->at] == '{' ? scan_object(scan) : scan_array(scan);
        scan->depth--;
        return right;
    case '"': return bough_scan_string(in, false);
    default: return bough_scan_word(in);
    }
}

static bool scan_text(struct scan *scan)
{
    struct bough_scanner *in = &scan->in;

    if (!bough_scan_space(in)) return false;
    if (bough_scan_at_end(in)) {
        bough_errors_add_file(in->errors, BOUGH_EINVALID,
                              "the file is empty; it needs a supervisor, such as "
                              "{ \"name\": \"hello\", \"children\": [] }");
        return false;
    }
    if (!scan_value(scan) || !bough_scan_space(in)) return false;
    if (bough_scan_at_end(in)) return true;
    return bough_scan_error(in, in->at, "unexpected text after the end of the tree");
}

bool bough_scan(char *text, size_t len, struct bough_errors *errors, size_t *steps)
{
    const struct bough_json_place root = { .up = NULL };
    struct scan scan = {
        .in = { .text = text, .len = len, .errors = errors, .place = &root },
        .source = { .text = text, .len = len },
    };
    bool right = scan_text(&scan);

    if (steps != NULL) *steps += scan.in.at;
    free(scan.keys.items);
    return right;
}
