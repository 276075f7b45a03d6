/* references.c - paths of other actors: that they are there, of the right type, and up in
 * time.
 *
 * Children start one after another, a nested supervisor's before what follows it. So when
 * an actor needs another from its start, the two meet below their nearest common
 * supervisor: of two of its children, the branches, the one with the needed actor must
 * come first. These needs are a graph among siblings. A need that points to a later
 * sibling is an error; when the later one needs the earlier one in turn, no order would
 * do, and the cycle is shown.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config_internal.h>

#include <string.h>

#include <bough/config/suggest.h>
#include <bough/core/place.h>

/* Of a name that is not there, this many siblings are looked at for a near one. */
enum { SIBLINGS_MAX = 10000 };

struct bough_reference {
    struct bough_reference *next;
    struct bough_record *from, *to; /* `to` NULL: not there */
    const struct bough_field *field;
    const char *path, *pointer;

    /* When it is needed from the start: the branches, and the next need of the same
     * branch. */
    struct bough_record *branch, *needed_branch;
    struct bough_reference *next_need;
};

void bough_reference_note(struct bough_config *config, struct bough_record *from,
                          const struct bough_field *field, const char *path,
                          const struct bough_json_place *place)
{
    size_t len = bough_pointer_length(place);
    struct bough_reference *reference =
        bough_arena_alloc(&config->scratch, 1, sizeof(*reference));
    char *pointer = bough_arena_alloc(&config->scratch, len + 1, 1);

    if (reference == NULL || pointer == NULL) return;
    bough_pointer_print(place, pointer, len + 1);
    *reference = (struct bough_reference){
        .from = from, .field = field, .path = path, .pointer = pointer
    };
    *config->references_end = reference;
    config->references_end = &reference->next;
}

/* Finding */

/* "/" and the names on the way; cut when it does not fit. Returns `buffer`. */
static const char *path_print(const struct bough_record *record,
                              char buffer[BOUGH_PATH_MAX])
{
    size_t at = BOUGH_PATH_MAX - 1;

    buffer[at] = '\0';
    for (; record->parent != NULL; record = record->parent) {
        const char *name = record->name == NULL ? "?" : record->name;
        size_t len = strlen(name);

        if (at < len + 1) break;
        at -= len;
        memcpy(buffer + at, name, len);
        buffer[--at] = '/';
    }
    if (buffer[at] == '\0') buffer[--at] = '/';
    memmove(buffer, buffer + at, BOUGH_PATH_MAX - at);
    return buffer;
}

/* Whether it is the number of a member of the group: of members, all that is known is
 * what is known of the group. */
static bool is_member(const struct bough_record *record, const char *name, size_t len)
{
    size_t number = 0;

    if (len == 0 || (len > 1 && name[0] == '0')) return false;
    for (size_t i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9' || number > INT32_MAX) return false;
        number = number * 10 + (size_t)(name[i] - '0');
    }
    return number < (size_t)record->replicas;
}

static struct bough_record *find_below(struct bough_config *config,
                                       struct bough_record *record, bool *in_group,
                                       const char *name, size_t len)
{
    if (*in_group) {
        *in_group = false;
        return is_member(record, name, len) ? record : NULL;
    }
    record = bough_names_find(config, record, name, len);
    *in_group = record != NULL && record->replicas > 0;
    return record;
}

/* The actor of a valid path; NULL when there is none. Then `*reached` is the last that
 * was on the way, and `*rest` what it has not. */
static struct bough_record *find(struct bough_config *config, const char *path,
                                 struct bough_record **reached, const char **rest)
{
    struct bough_record *record = &config->root;
    bool in_group = false;

    path++;
    while (*path != '\0') {
        size_t len = strcspn(path, "/");

        *reached = record;
        *rest = path;
        record = find_below(config, record, &in_group, path, len);
        if (record == NULL) return NULL;
        path += len + (path[len] == '/');
    }
    return record;
}

static const struct bough_record *nearest_sibling(const struct bough_record *parent,
                                                  const char *name)
{
    struct bough_suggestion suggestion = { .word = name };
    const struct bough_record *nearest = NULL;

    for (size_t i = 0; i < parent->child_count && i < SIBLINGS_MAX; i++) {
        const char *before = suggestion.nearest;

        if (parent->children[i].name == NULL) continue;
        bough_suggestion_offer(&suggestion, parent->children[i].name);
        if (suggestion.nearest != before) nearest = &parent->children[i];
    }
    return nearest;
}

/* An actor that has the name, wherever it is: below `parent` or its supervisors. */
static const struct bough_record *namesake(struct bough_config *config,
                                           const struct bough_record *parent,
                                           const char *name, size_t *budget)
{
    const struct bough_record *found =
        bough_names_find(config, parent, name, strlen(name));

    for (size_t i = 0; found == NULL && i<parent->child_count && * budget> 0; i++) {
        (*budget)--;
        if (parent->children[i].child_count > 0)
            found = namesake(config, &parent->children[i], name, budget);
    }
    return found;
}

static void report_absent(struct bough_config *config,
                          const struct bough_reference *reference,
                          const struct bough_record *reached, const char *rest)
{
    char name[BOUGH_NAME_MAX + 1], meant[BOUGH_PATH_MAX], quoted[BOUGH_QUOTED];
    size_t len = strcspn(rest, "/"), budget = SIBLINGS_MAX;
    const struct bough_record *near;

    if (bough_errors_skip(&config->errors)) return;
    memcpy(name, rest, len);
    name[len] = '\0';
    if (reached->is_dynamic) {
        bough_errors_add_pointer(
            &config->errors, reference->pointer,
            "there is no %s when the tree starts: its supervisor makes children by request",
            bough_quote(quoted, reference->path));
        return;
    }
    near = nearest_sibling(reached, name);
    if (near == NULL)
        near =
            namesake(config, &config->root, strrchr(reference->path, '/') + 1, &budget);
    bough_quote(quoted, reference->path);
    if (near != NULL)
        bough_errors_add_pointer(&config->errors, reference->pointer,
                                 "there is no %s; did you mean \"%s\"?", quoted,
                                 path_print(near, meant));
    else
        bough_errors_add_pointer(&config->errors, reference->pointer,
                                 "there is no %s in this tree", quoted);
}

static void resolve(struct bough_config *config, struct bough_reference *reference)
{
    const char *wanted = reference->field->refers_to;
    struct bough_record *reached = &config->root;
    const char *rest = "";
    char quoted[BOUGH_QUOTED];

    reference->to = find(config, reference->path, &reached, &rest);
    if (reference->to == NULL) {
        report_absent(config, reference, reached, rest);
    } else if (wanted != NULL && reference->to->type != NULL &&
               strcmp(wanted, reference->to->type) != 0) {
        bough_errors_add_pointer(
            &config->errors, reference->pointer, "\"%s\" must name a %s, and %s is a %s",
            reference->field->name, wanted, bough_quote(quoted, reference->path),
            reference->to->type);
        reference->to = NULL;
    }
}

/* Order */

/* The two children of the nearest common supervisor at or below which the two actors are;
 * false when one is the other, or above it. */
static bool find_branches(struct bough_reference *reference)
{
    struct bough_record *a = reference->from, *b = reference->to;

    while (a->depth > b->depth)
        a = a->parent;
    while (b->depth > a->depth)
        b = b->parent;
    if (a == b) return false;
    while (a->parent != b->parent) {
        a = a->parent;
        b = b->parent;
    }
    reference->branch = a;
    reference->needed_branch = b;
    return true;
}

static void note_need(struct bough_config *config, struct bough_reference *reference)
{
    char from[BOUGH_PATH_MAX];

    if (find_branches(reference)) {
        reference->next_need = reference->branch->needs;
        reference->branch->needs = reference;
    } else if (reference->from == reference->to) {
        bough_errors_add_pointer(&config->errors, reference->pointer,
                                 "\"%s\" cannot start after itself",
                                 path_print(reference->from, from));
    } else {
        bough_errors_add_pointer(
            &config->errors, reference->pointer,
            "\"%s\" cannot start after \"%s\", of which it is a part",
            path_print(reference->from, from), reference->path);
    }
}

/* Searches breadth first from what `reference` needs to who needs it; each record that is
 * reached knows by which need, so that the way can be walked back. */
static bool leads_back(struct bough_config *config,
                       const struct bough_reference *reference, size_t mark)
{
    struct bough_record *first = reference->needed_branch, *last = first;

    first->mark = mark;
    first->queue_next = NULL;
    for (; first != NULL; first = first->queue_next) {
        if (first == reference->branch) return true;
        for (const struct bough_reference *need = first->needs; need != NULL;
             need = need->next_need) {
            struct bough_record *next = need->needed_branch;

            config->steps++;
            if (next->mark == mark) continue;
            next->mark = mark;
            next->via = need;
            next->queue_next = NULL;
            last->queue_next = next;
            last = next;
        }
    }
    return false;
}

/* Appends "/a needs /b" as far as there is room. */
static size_t print_need(const struct bough_reference *need, char *text, size_t size,
                         size_t used)
{
    char from[BOUGH_PATH_MAX];

    if (used < size)
        used += (size_t)snprintf(text + used, size - used, "%s\"%s\" needs \"%s\"",
                                 used > 0 ? ", " : "", path_print(need->from, from),
                                 need->path);
    return used < size ? used : size;
}

/* From the record that begins the cycle, along the needs, back to it: first the one that
 * was found wrong, then those of the search, which are known from their end. */
static void report_cycle(struct bough_config *config,
                         const struct bough_reference *reference, size_t mark)
{
    const struct bough_reference *chain[BOUGH_CONFIG_ERRORS_MAX];
    struct bough_record *record = reference->branch;
    size_t count = 0, used = 0;
    char text[400];

    while (record != reference->needed_branch) {
        record->cycle = mark;
        if (count < bough_count_of(chain)) chain[count++] = record->via;
        record = record->via->branch;
    }
    record->cycle = mark;
    used = print_need(reference, text, sizeof(text), used);
    while (count > 0)
        used = print_need(chain[--count], text, sizeof(text), used);
    bough_errors_add_pointer(&config->errors, reference->pointer,
                             "a cycle of references, which no order of start can meet: "
                             "%s%s",
                             text, used >= sizeof(text) ? "..." : "");
}

static void report_late(struct bough_config *config,
                        const struct bough_reference *reference)
{
    char from[BOUGH_PATH_MAX], first[BOUGH_PATH_MAX], then[BOUGH_PATH_MAX];

    bough_errors_add_pointer(
        &config->errors, reference->pointer,
        "\"%s\" starts before \"%s\", which it needs: move \"%s\" before "
        "\"%s\"",
        path_print(reference->from, from), reference->path,
        path_print(reference->needed_branch, first), path_print(reference->branch, then));
}

/* `mark` is different for each reference. */
static void check_order(struct bough_config *config,
                        const struct bough_reference *reference, size_t mark)
{
    const struct bough_record *branch = reference->branch,
                              *needed = reference->needed_branch;

    if (branch == NULL || needed->index < branch->index) return;
    if (branch->cycle != 0 && branch->cycle == needed->cycle) return;
    if (bough_errors_skip(&config->errors)) return;
    if (leads_back(config, reference, mark))
        report_cycle(config, reference, mark);
    else
        report_late(config, reference);
}

void bough_references_check(struct bough_config *config)
{
    struct bough_reference *reference;
    size_t mark = 0;

    for (reference = config->references; reference != NULL; reference = reference->next) {
        resolve(config, reference);
        if (reference->to != NULL && reference->field->at_start &&
            !reference->from->is_on_request)
            note_need(config, reference);
    }
    for (reference = config->references; reference != NULL; reference = reference->next)
        check_order(config, reference, ++mark);
}
