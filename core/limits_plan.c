/* limits_plan.c - limits with the names of users and groups looked up.
 *
 * In the process that starts others, never in the new one: looking up a name may open
 * files and sockets, load libraries and take locks.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/limits.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRY_SIZE = 4096, ENTRY_SIZE_MAX = 1 << 20 }; /* bytes of the strings of one */

/* The greatest means "none" to the kernel. */
static bool is_number(const char *text, uint32_t *number)
{
    uint64_t value = 0;

    if (text[strspn(text, "0123456789")] != '\0' || strlen(text) > 10) return false;
    for (; *text != '\0'; text++)
        value = value * 10 + (uint64_t)(*text - '0');
    if (value >= UINT32_MAX) return false;
    *number = (uint32_t)value;
    return true;
}

/* One entry of the user or of the group database, by name or by number. */
struct query {
    const char *name; /* NULL: by number */
    uint32_t number;
    bool is_group;
    char *buffer; /* its strings */
    union {
        struct passwd user;
        struct group group;
    } entry;
};

static int ask(struct query *query, size_t size, bool *found)
{
    struct passwd *user = NULL;
    struct group *group = NULL;
    int error;

    if (query->is_group && query->name)
        error = getgrnam_r(query->name, &query->entry.group, query->buffer, size, &group);
    else if (query->is_group)
        error =
            getgrgid_r(query->number, &query->entry.group, query->buffer, size, &group);
    else if (query->name)
        error = getpwnam_r(query->name, &query->entry.user, query->buffer, size, &user);
    else
        error = getpwuid_r(query->number, &query->entry.user, query->buffer, size, &user);
    *found = user != NULL || group != NULL;
    return error;
}

/* getpwnam(3): what is not there may be an error, too. */
static bool means_absent(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
           error == EPERM;
}

/* Its buffer is to be freed in any case. Errors: BOUGH_ENOTFOUND, which is not said. */
static enum bough_status find(struct query *query, struct bough_error *error)
{
    for (size_t size = ENTRY_SIZE; size <= ENTRY_SIZE_MAX; size *= 4) {
        char *larger = realloc(query->buffer, size);
        bool found;

        if (!larger) return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
        query->buffer = larger;
        errno = ask(query, size, &found);
        if (found) return BOUGH_OK;
        if (means_absent(errno)) return BOUGH_ENOTFOUND;
        if (errno != ERANGE && errno != EINTR) break;
    }
    return bough_error_system(error, "cannot look up the %s \"%.80s\"",
                              query->is_group ? "group" : "user",
                              query->name ? query->name : "of that number");
}

static enum bough_status find_group(const char *group, gid_t *gid,
                                    struct bough_error *error)
{
    struct query query = { .name = group, .is_group = true };
    uint32_t number;
    enum bough_status status;

    if (is_number(group, &number)) {
        *gid = number;
        return BOUGH_OK;
    }
    status = find(&query, error);
    if (status == BOUGH_OK) *gid = query.entry.group.gr_gid;
    if (status == BOUGH_ENOTFOUND)
        bough_error_set(error, status, "there is no group \"%.80s\"", group);
    free(query.buffer);
    return status;
}

static enum bough_status take_groups(struct bough_limits_plan *plan, const char *name,
                                     struct bough_error *error)
{
    int count = BOUGH_LIMITS_GROUPS_MAX;

    if (getgrouplist(name, plan->gid, plan->groups, &count) < 0)
        return bough_error_set(error, BOUGH_ETOOLARGE,
                               "the user \"%.80s\" has more than %d groups", name,
                               BOUGH_LIMITS_GROUPS_MAX);
    plan->group_count = (uint32_t)count;
    return BOUGH_OK;
}

/* A number without an entry is a user all the same, with no other groups. */
static enum bough_status take_number(const struct bough_process_limits *limits,
                                     struct bough_error *error)
{
    if (limits->group) return BOUGH_OK;
    return bough_error_set(error, BOUGH_ENOTFOUND,
                           "there is no user of number %s, whose group would be known; "
                           "name a group",
                           limits->user);
}

/* The group, when one is given, is known already. */
static enum bough_status find_user(struct bough_limits_plan *plan,
                                   const struct bough_process_limits *limits,
                                   struct bough_error *error)
{
    struct query query = { .name = NULL };
    const bool by_number = is_number(limits->user, &query.number);
    enum bough_status status;

    plan->sets_user = true;
    plan->uid = query.number;
    if (!by_number) query.name = limits->user;
    status = find(&query, error);
    if (status == BOUGH_OK) {
        plan->uid = query.entry.user.pw_uid;
        if (!limits->group) plan->gid = query.entry.user.pw_gid;
        status = take_groups(plan, query.entry.user.pw_name, error);
    } else if (status == BOUGH_ENOTFOUND && by_number) {
        status = take_number(limits, error);
    } else if (status == BOUGH_ENOTFOUND) {
        bough_error_set(error, status, "there is no user \"%.80s\"", limits->user);
    }
    free(query.buffer);
    return status;
}

static enum bough_status find_owner(struct bough_limits_plan *plan,
                                    const struct bough_process_limits *limits,
                                    struct bough_error *error)
{
    enum bough_status status = BOUGH_OK;

    if (!limits->user && !limits->group) return BOUGH_OK;
    if (geteuid() != 0)
        return bough_error_set(error, BOUGH_EDENIED,
                               "only root can give a process another %s; this is user %u",
                               limits->user ? "user" : "group", (unsigned)geteuid());
    plan->sets_group = true;
    if (limits->group) status = find_group(limits->group, &plan->gid, error);
    if (status == BOUGH_OK && limits->user) status = find_user(plan, limits, error);
    return status;
}

enum bough_status bough_limits_plan(const struct bough_process_limits *limits,
                                    struct bough_limits_plan *plan,
                                    struct bough_error *error)
{
    struct bough_limits_plan made;
    enum bough_status status = bough_limits_check(limits, error);

    /* Sent as bytes: no padding of chance. */
    memset(&made, 0, sizeof(made));
    made.rlimits = limits->rlimits;
    made.no_new_privs = limits->no_new_privs;
    made.any_oom_score_adj = limits->any_oom_score_adj || limits->oom_score_adj != 0;
    made.oom_score_adj = limits->oom_score_adj;
    if (status == BOUGH_OK) status = find_owner(&made, limits, error);
    if (status == BOUGH_OK) *plan = made;
    return status;
}
