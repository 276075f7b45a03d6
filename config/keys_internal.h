/* keys_internal.h - the keys of a supervisor and of a child: one table, from which a
 * config is checked and the schema is made.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_KEYS_INTERNAL_H
#define BOUGH_CONFIG_KEYS_INTERNAL_H

#include <bough/config/json_options_internal.h>
#include <bough/config/keys.h>
#include <bough/core/actor.h>
#include <bough/supervisor/spec.h>

/* How its value is read. */
enum bough_key_kind {
    BOUGH_KEY_FIELD,    /* as any option */
    BOUGH_KEY_NAME,     /* a string that is a name */
    BOUGH_KEY_TYPE,     /* the name of a type; what it is, is looked at before */
    BOUGH_KEY_SHUTDOWN, /* a duration or "brutal-kill" */
    BOUGH_KEY_OPTIONS,  /* an object; the type says what is in it */
    BOUGH_KEY_CHILDREN, /* an array of children */
    BOUGH_KEY_POLICIES  /* an array of policies */
};

struct bough_key {
    struct bough_field field; /* of struct bough_entry */
    enum bough_key_kind kind;
    unsigned where, required; /* sets of places */
};

/* What the keys of one supervisor or child say. */
struct bough_entry {
    const char *schema, *name, *type, *log, *exit_with, *metrics, *route_field;
    int strategy, auto_shutdown, restart, isolation, route;
    bool significant, spare;
    int64_t intensity, period_ms; /* of a supervisor, for its children */
    int64_t shutdown_ms, start_timeout_ms;
    int64_t replicas;  /* 0: not given */
    int64_t redeliver; /* 0: not given */
    int64_t stuck_after_ms;
    struct {
        int64_t intensity, period_ms; /* intensity below 0: no limit of its own */
    } limit;
    struct bough_backoff backoff;
    struct {
        int64_t capacity; /* messages */
        int on_restart, when_full;
    } mailbox;
    struct bough_rlimits rlimits;
    bool no_new_privs;
    const char *user, *group;
    int64_t oom_score_adj; /* INT64_MIN: not given */
    /* borrowed; NULL: not given, or not what they must be */
    const json_t *options, *children, *policies;
};

/* The table; ends with a row without a name. A key that means different things at
 * different places has a row for each. */
extern const struct bough_key bough_keys[];

/* Reads the keys of an object that stands at one of the places `where`. Of a child whose
 * type is not known, it is more than one: a key is then right when it is right somewhere,
 * and missing when it is missing everywhere. `type` is for messages. */
void bough_entry_read(struct bough_options_reader *reader, const json_t *object,
                      const struct bough_json_place *place, unsigned where,
                      const char *type, struct bough_entry *entry);

#endif
