/* test_process_limits.c - what an actor in a process may use, and as whom it runs.
 *
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <bough/tests/supervisor/fragile.h>

/* An actor that looks at its own process. */

enum look_kind {
    LOOK_RLIMIT,
    LOOK_FILES,
    LOOK_MEMORY,
    LOOK_SPIN,
    LOOK_OWNER,
    LOOK_FLAGS
};

struct look {
    enum look_kind kind;
    int64_t number;
};

struct seen {
    int64_t first, second, third;
};

static const struct bough_field look_fields[] = {
    bough_field(struct look, number, "number", BOUGH_INT64, .help = "It."),
};
static const struct bough_field seen_fields[] = {
    bough_field(struct seen, first, "first", BOUGH_INT64, .help = "It."),
    bough_field(struct seen, second, "second", BOUGH_INT64, .help = "It."),
    bough_field(struct seen, third, "third", BOUGH_INT64, .help = "It."),
};
#define look_row(text) \
    { \
        .name = text, .fields = look_fields, .field_count = 1, .help = "It.", \
        .reply = seen_fields, .reply_count = 3, .reply_size = sizeof(struct seen) \
    }
static const struct bough_message_type look_messages[] = {
    look_row("rlimit"), look_row("files"), look_row("memory"),
    look_row("spin"),   look_row("owner"), look_row("flags")
};

static enum bough_status looker_init(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    return BOUGH_OK;
}

static struct seen rlimit_seen(int resource)
{
    struct rlimit limit = { 0, 0 };

    getrlimit(resource, &limit);
    return (struct seen){ (int64_t)limit.rlim_cur, (int64_t)limit.rlim_max, 0 };
}

/* How many it can open. */
static struct seen files_seen(void)
{
    struct seen seen = { .first = 0 };

    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
        seen.first++;
    seen.second = errno;
    return seen;
}

static struct seen memory_seen(int64_t size)
{
    char *volatile memory = malloc((size_t)size);
    const struct seen seen = { .first = memory != NULL };

    free(memory);
    return seen;
}

static struct seen flags_seen(void)
{
    FILE *file = fopen("/proc/self/oom_score_adj", "r");
    int pdeathsig = 0;
    char line[16] = "";

    prctl(PR_GET_PDEATHSIG, &pdeathsig);
    if (file == NULL || fgets(line, sizeof(line), file) == NULL)
        return (struct seen){ .first = -1 };
    fclose(file);
    return (struct seen){ prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), pdeathsig,
                          strtol(line, NULL, 10) };
}

static void looker_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct look *look = data;
    struct seen seen = { .first = 0 };

    (void)size;
    switch (look->kind) {
    case LOOK_RLIMIT: seen = rlimit_seen((int)look->number); break;
    case LOOK_FILES: seen = files_seen(); break;
    case LOOK_MEMORY: seen = memory_seen(look->number); break;
    case LOOK_SPIN:
        for (volatile unsigned i = 0;; i++)
            continue;
    case LOOK_OWNER:
        seen = (struct seen){ getuid(), getgid(), getgroups(0, NULL) };
        break;
    case LOOK_FLAGS: seen = flags_seen(); break;
    }
    bough_reply(actor, &seen, sizeof(seen));
}

static const struct bough_actor_type looker_type = {
    .name = "looker",
    .help = "Looks at its process.",
    .message_size = sizeof(struct look),
    .messages = look_messages,
    .message_count = bough_count_of(look_messages),
    .init = looker_init,
    .run = looker_run,
};

/* A tree with one, with these limits */

static struct tree *start_limited(struct bough_process_limits limits)
{
    const struct bough_child_spec child = { .name = "looker",
                                            .type = &looker_type,
                                            .isolation = BOUGH_PROCESS,
                                            .limits = limits };

    return start(&child, 1);
}

static void finish(struct tree *tree)
{
    void *state = tree;

    assert_int_equal(teardown(&state), 0);
}

/* What it sees; the status when that is no answer. */
struct glance {
    struct bough_call call;
    bool done;
    enum bough_status status;
    struct seen seen;
};

static void glanced(struct bough_call *call, enum bough_status status)
{
    struct glance *glance = bough_container(call, struct glance, call);

    glance->done = true;
    glance->status = status;
}

static struct glance glance_at(struct tree *tree, const char *path, enum look_kind kind,
                               int64_t number)
{
    const struct look look = { kind, number };
    struct glance glance = { .call = { .done = glanced, .loop = tree->loop } };
    struct bough_address place;

    assert_status(bough_lookup(tree->loop, path, &place), BOUGH_OK);
    bough_call_start(&glance.call, place, &look, sizeof(look), &glance.seen,
                     sizeof(glance.seen));
    wait_for(tree, &glance.done);
    return glance;
}

static struct seen look(struct tree *tree, enum look_kind kind, int64_t number)
{
    const struct glance glance = glance_at(tree, "/looker", kind, number);

    assert_status(glance.status, BOUGH_OK);
    return glance.seen;
}

static void rlimits_are_seen_by_the_actor(void **state)
{
    (void)state;
    struct tree *tree = start_limited((struct bough_process_limits){
        .rlimits = { .cpu_ms = 600000, .files = 40, .core = 4096 } });
    assert_int_equal(look(tree, LOOK_RLIMIT, RLIMIT_CPU).first, 600);
    assert_int_equal(look(tree, LOOK_RLIMIT, RLIMIT_NOFILE).second, 40);
    assert_int_equal(look(tree, LOOK_RLIMIT, RLIMIT_CORE).first, 4096);
    finish(tree);
}

/* The least that is allowed is enough for the actor to live. */
static void beyond_its_files_it_opens_none(void **state)
{
    (void)state;
    struct tree *tree =
        start_limited((struct bough_process_limits){ .rlimits = { .files = 16 } });
    assert_true(tree->ready);
    const struct seen seen = look(tree, LOOK_FILES, 0);
    assert_in_range(seen.first, 1, 15);
    assert_int_equal(seen.second, EMFILE);
    finish(tree);
}

/* The shadows of a sanitizer take far more than any limit. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool has_shadows = true;
#else
static const bool has_shadows = false;
#endif

static void beyond_its_memory_it_gets_none(void **state)
{
    const int64_t mebibyte = 1 << 20;

    (void)state;
    if (has_shadows) skip();
    struct tree *tree = start_limited(
        (struct bough_process_limits){ .rlimits = { .memory = 256 * mebibyte } });
    assert_int_equal(look(tree, LOOK_MEMORY, 64 * mebibyte).first, 1);
    assert_int_equal(look(tree, LOOK_MEMORY, 512 * mebibyte).first, 0);
    finish(tree);
}

static void too_little_memory_to_begin_with_is_told(void **state)
{
    (void)state;
    struct tree *tree =
        start_limited((struct bough_process_limits){ .rlimits = { .memory = 1 << 20 } });
    assert_false(tree->ready);
    assert_non_null(
        strstr(tree->reason.text, "the rlimit memory, 1048576 bytes, is less than the "));
    finish(tree);
}

/* And the next life has as much time again. */
static void an_endless_loop_ends_with_its_time(void **state)
{
    (void)state;
    struct tree *tree =
        start_limited((struct bough_process_limits){ .rlimits = { .cpu_ms = 1000 } });
    assert_status(glance_at(tree, "/looker", LOOK_SPIN, 0).status, BOUGH_ECRASHED);
    assert_non_null(strstr(tree->log, "signal XCPU"));
    assert_int_equal(look(tree, LOOK_RLIMIT, RLIMIT_CPU).first, 1);
    finish(tree);
}

static void flags_are_seen_by_the_actor(void **state)
{
    (void)state;
    struct tree *tree = start_limited(
        (struct bough_process_limits){ .no_new_privs = true, .oom_score_adj = 1000 });
    const struct seen seen = look(tree, LOOK_FLAGS, 0);
    assert_int_equal(seen.first, 1);
    assert_int_equal(seen.second, SIGKILL);
    assert_int_equal(seen.third, 1000);
    finish(tree);
}

/* It dies with the program all the same. */
static void it_runs_as_another_user(void **state)
{
    (void)state;
    if (geteuid() != 0) skip();
    struct tree *tree =
        start_limited((struct bough_process_limits){ .user = "65534", .group = "4242" });
    const struct seen owner = look(tree, LOOK_OWNER, 0);
    assert_int_equal(owner.first, 65534);
    assert_int_equal(owner.second, 4242);
    assert_int_equal(look(tree, LOOK_FLAGS, 0).second, SIGKILL);
    finish(tree);
}

static void assert_start_fails(struct bough_process_limits limits, const char *text)
{
    struct tree *tree = start_limited(limits);
    assert_false(tree->ready);
    if (strstr(tree->reason.text, text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, tree->reason.text);
    finish(tree);
}

static void a_user_that_is_not_there_fails_the_start(void **state)
{
    (void)state;
    if (geteuid() != 0) skip();
    assert_start_fails((struct bough_process_limits){ .user = "no-such-user" },
                       "there is no user \"no-such-user\"");
    assert_start_fails((struct bough_process_limits){ .group = "no-such-group" },
                       "there is no group \"no-such-group\"");
}

static void a_limit_that_cannot_be_applied_fails_the_start(void **state)
{
    (void)state;
    assert_start_fails((struct bough_process_limits){ .rlimits = { .files = 1 << 30 } },
                       "cannot set the rlimit files to 1073741824: Operation not "
                       "permitted");
}

/* It waited without any, and takes them on with what it is to be. */
static void a_process_that_waited_has_them_too(void **state)
{
    const struct bough_child_spec child = { .name = "looker",
                                            .type = &looker_type,
                                            .isolation = BOUGH_PROCESS,
                                            .spare = true,
                                            .limits.rlimits.files = 50 };
    struct bough_address place;

    (void)state;
    struct tree *tree = start(&child, 1);
    assert_status(bough_lookup(tree->loop, "/looker", &place), BOUGH_OK);
    for (int life = 1; life <= 3; life++) {
        assert_int_equal(look(tree, LOOK_RLIMIT, RLIMIT_NOFILE).first, 50);
        bough_kill(place);
    }
    assert_int_equal(look(tree, LOOK_RLIMIT, RLIMIT_NOFILE).first, 50);
    finish(tree);
}

/* A supervisor and all below it, in one process */

static struct tree *start_subtree(struct bough_process_limits limits, uint32_t replicas)
{
    const struct bough_child_spec child = { .name = "looker", .type = &looker_type };
    const struct bough_supervisor_options options = { .children = &child,
                                                      .child_count = 1 };
    const struct bough_child_spec sub = { .name = "sub",
                                          .type = &bough_supervisor_type,
                                          .options = &options,
                                          .isolation = BOUGH_PROCESS,
                                          .limits = limits,
                                          .replicas = replicas };

    return start(&sub, 1);
}

static void assert_files(struct tree *tree, const char *path, int64_t files)
{
    const struct glance glance = glance_at(tree, path, LOOK_RLIMIT, RLIMIT_NOFILE);

    assert_status(glance.status, BOUGH_OK);
    assert_int_equal(glance.seen.first, files);
}

static void all_below_a_supervisor_have_its_limits(void **state)
{
    (void)state;
    struct tree *tree =
        start_subtree((struct bough_process_limits){ .rlimits.files = 50 }, 0);
    assert_files(tree, "/sub/looker", 50);
    finish(tree);
}

static void each_member_of_a_group_has_its_limits(void **state)
{
    (void)state;
    struct tree *tree =
        start_subtree((struct bough_process_limits){ .rlimits.files = 50 }, 2);
    assert_files(tree, "/sub/0/looker", 50);
    assert_files(tree, "/sub/1/looker", 50);
    finish(tree);
}

static void a_supervisor_that_cannot_have_them_does_not_start(void **state)
{
    (void)state;
    struct tree *tree =
        start_subtree((struct bough_process_limits){ .rlimits.files = 1 << 30 }, 0);
    assert_false(tree->ready);
    assert_non_null(
        strstr(tree->reason.text, "cannot set the rlimit files to 1073741824"));
    finish(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rlimits_are_seen_by_the_actor),
        cmocka_unit_test(beyond_its_files_it_opens_none),
        cmocka_unit_test(beyond_its_memory_it_gets_none),
        cmocka_unit_test(too_little_memory_to_begin_with_is_told),
        cmocka_unit_test(an_endless_loop_ends_with_its_time),
        cmocka_unit_test(flags_are_seen_by_the_actor),
        cmocka_unit_test(it_runs_as_another_user),
        cmocka_unit_test(a_user_that_is_not_there_fails_the_start),
        cmocka_unit_test(a_limit_that_cannot_be_applied_fails_the_start),
        cmocka_unit_test(a_process_that_waited_has_them_too),
        cmocka_unit_test(all_below_a_supervisor_have_its_limits),
        cmocka_unit_test(each_member_of_a_group_has_its_limits),
        cmocka_unit_test(a_supervisor_that_cannot_have_them_does_not_start),
    };
    return cmocka_run_group_tests_name("supervisor/process_limits", tests, NULL, NULL);
}
