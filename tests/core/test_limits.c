/* test_limits.c - limits are checked, planned with names looked up, and applied.
 *
 * They are applied in processes of their own, which say by their exit code whether all is
 * as it should be.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/limits.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/tests/support/allocator.h>
#include <bough/tests/support/unit.h>

enum { NOBODY = 65534, NOT_ROOT = 77 };

/* What is allowed */

static void assert_fault(struct bough_process_limits limits, const char *text)
{
    struct bough_error error = { .text = "" };

    assert_status(bough_limits_check(&limits, &error), BOUGH_EINVALID);
    assert_string_equal(error.text, text);
}

static void the_table_of_rlimits_is_sound(void **state)
{
    struct bough_error error = { .text = "" };

    (void)state;
    if (!bough_options_valid(bough_rlimit_fields, BOUGH_RLIMIT_COUNT, &error))
        fail_msg("%s", error.text);
}

static void each_range_is_checked(void **state)
{
    (void)state;
    assert_fault((struct bough_process_limits){ .rlimits.memory = 4096 },
                 "the rlimit memory, 4096 bytes, is below the least, 1 MiB");
    assert_fault((struct bough_process_limits){ .rlimits.cpu_ms = 999 },
                 "the rlimit cpu, 999 ms, is below the least, 1 second");
    assert_fault((struct bough_process_limits){ .rlimits.cpu_ms = 1500 },
                 "the rlimit cpu, 1500 ms, is not a whole number of seconds");
    assert_fault((struct bough_process_limits){ .rlimits.files = 15 },
                 "the rlimit files, 15, is not in 16 to 1073741824");
    assert_fault((struct bough_process_limits){ .rlimits.files = (1 << 30) + INT64_C(1) },
                 "the rlimit files, 1073741825, is not in 16 to 1073741824");
    assert_fault((struct bough_process_limits){ .rlimits.core = -2 },
                 "the rlimit core, -2 bytes, is below 0 and not BOUGH_CORE_NONE");
    assert_fault((struct bough_process_limits){ .oom_score_adj = -1001 },
                 "oom_score_adj -1001 is not in -1000 to 1000");
    assert_fault((struct bough_process_limits){ .oom_score_adj = 1001 },
                 "oom_score_adj 1001 is not in -1000 to 1000");
    assert_fault((struct bough_process_limits){ .user = "" }, "the user has no name");
    assert_fault((struct bough_process_limits){ .group = "" }, "the group has no name");
}

static void the_ends_of_each_range_are_allowed(void **state)
{
    const struct bough_process_limits least = {
        .rlimits = { 1 << 20, 1000, 16, BOUGH_CORE_NONE }, .oom_score_adj = -1000
    };
    const struct bough_process_limits most = { .rlimits = { BOUGH_FOREVER, BOUGH_FOREVER,
                                                            1 << 30, BOUGH_FOREVER },
                                               .oom_score_adj = 1000 };

    (void)state;
    assert_status(bough_limits_check(&least, NULL), BOUGH_OK);
    assert_status(bough_limits_check(&most, NULL), BOUGH_OK);
}

static void anything_in_it_is_seen(void **state)
{
    const struct bough_process_limits some[] = {
        { .rlimits.memory = 1 },  { .rlimits.cpu_ms = 1 },
        { .rlimits.files = 1 },   { .rlimits.core = -1 },
        { .user = "x" },          { .group = "x" },
        { .no_new_privs = true }, { .any_oom_score_adj = true },
        { .oom_score_adj = 1 },
    };

    (void)state;
    assert_false(bough_limits_any(&(struct bough_process_limits){ .user = NULL }));
    for (size_t i = 0; i < bough_count_of(some); i++)
        assert_true(bough_limits_any(&some[i]));
}

/* Plans */

static struct bough_limits_plan plan_of(struct bough_process_limits limits)
{
    struct bough_limits_plan plan;
    struct bough_error error = { .text = "" };

    if (bough_limits_plan(&limits, &plan, &error) != BOUGH_OK) fail_msg("%s", error.text);
    return plan;
}

static void assert_no_plan(struct bough_process_limits limits, enum bough_status status,
                           const char *text)
{
    struct bough_limits_plan plan = { .uid = 7 };
    struct bough_error error = { .text = "" };

    assert_status(bough_limits_plan(&limits, &plan, &error), status);
    assert_string_equal(error.text, text);
    assert_int_equal(plan.uid, 7);
}

/* Only root may ask for a user at all, so it is not known otherwise. */
static bool is_root(void)
{
    if (geteuid() != 0) skip();
    return true;
}

static void a_user_brings_its_group_and_its_groups(void **state)
{
    (void)state;
    if (!is_root()) return;
    const struct bough_limits_plan root =
        plan_of((struct bough_process_limits){ .user = "root" });
    const struct bough_limits_plan by_number =
        plan_of((struct bough_process_limits){ .user = "0" });

    assert_true(root.sets_user && root.sets_group);
    assert_int_equal(root.uid, 0);
    assert_int_equal(root.gid, 0);
    assert_in_range(root.group_count, 1, BOUGH_LIMITS_GROUPS_MAX);
    assert_memory_equal(&root, &by_number, sizeof(root));
}

static void a_group_given_is_the_first_of_them(void **state)
{
    (void)state;
    if (!is_root()) return;
    const struct bough_limits_plan plan =
        plan_of((struct bough_process_limits){ .user = "root", .group = "4242" });

    assert_int_equal(plan.gid, 4242);
    assert_int_equal(plan.groups[0], 4242);
}

static void a_group_alone_is_the_only_one(void **state)
{
    (void)state;
    if (!is_root()) return;
    const struct bough_limits_plan plan =
        plan_of((struct bough_process_limits){ .group = "root" });

    assert_true(plan.sets_group && !plan.sets_user);
    assert_int_equal(plan.gid, 0);
    assert_int_equal(plan.group_count, 0);
}

static void a_number_that_nobody_has_needs_a_group(void **state)
{
    (void)state;
    if (!is_root()) return;
    const struct bough_limits_plan plan =
        plan_of((struct bough_process_limits){ .user = "4100000000", .group = "4242" });

    assert_int_equal(plan.uid, 4100000000);
    assert_int_equal(plan.gid, 4242);
    assert_int_equal(plan.group_count, 0);
    assert_no_plan((struct bough_process_limits){ .user = "4100000000" }, BOUGH_ENOTFOUND,
                   "there is no user of number 4100000000, whose group would be known; "
                   "name a group");
}

static void names_that_are_not_there_are_told(void **state)
{
    (void)state;
    if (!is_root()) return;
    assert_no_plan((struct bough_process_limits){ .user = "no-such-user" },
                   BOUGH_ENOTFOUND, "there is no user \"no-such-user\"");
    assert_no_plan((struct bough_process_limits){ .group = "no-such-group" },
                   BOUGH_ENOTFOUND, "there is no group \"no-such-group\"");
    /* Greater than any number of a user, and so a name. */
    assert_no_plan((struct bough_process_limits){ .user = "4294967295" }, BOUGH_ENOTFOUND,
                   "there is no user \"4294967295\"");
}

static void no_memory_for_a_name_is_told(void **state)
{
    (void)state;
    if (!is_root()) return;
    bough_allocator_fail_at(1);
    assert_no_plan((struct bough_process_limits){ .user = "root" }, BOUGH_ENOMEM,
                   "out of memory");
    assert_true(bough_allocator_heal());
}

static void a_plan_that_is_not_allowed_is_refused(void **state)
{
    (void)state;
    assert_no_plan((struct bough_process_limits){ .rlimits.files = 1 }, BOUGH_EINVALID,
                   "the rlimit files, 1, is not in 16 to 1073741824");
}

/* Applied */

/* In a process of its own, which must end with 0. */
static void assert_in_child(void (*check)(void))
{
    int status;
    fflush(NULL);
    const pid_t child = fork();

    if (child == 0) {
        check();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_ROOT) skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Exits with the line where it is not so. */
#define must(condition) \
    if (!(condition)) _exit(__LINE__ % 70 + 1)

static struct bough_limits_plan plan_in_child(struct bough_process_limits limits)
{
    struct bough_limits_plan plan;

    must(bough_limits_plan(&limits, &plan, NULL) == BOUGH_OK);
    return plan;
}

static void apply_in_child(struct bough_process_limits limits)
{
    const struct bough_limits_plan plan = plan_in_child(limits);

    must(bough_limits_apply(&plan) == BOUGH_LIMIT_NONE);
}

static void rlimits_in_child(void)
{
    const rlim_t tebibyte = (rlim_t)1 << 40;
    struct rlimit limit;

    apply_in_child((struct bough_process_limits){
        .rlimits = { (int64_t)tebibyte, 7000, 64, BOUGH_CORE_NONE } });
    must(getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur == tebibyte);
    must(limit.rlim_max == tebibyte);
    must(getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur == 7);
    must(limit.rlim_max == 8);
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 64);
    must(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0);
    must(limit.rlim_max == 0);
}

static void rlimits_are_set(void **state)
{
    (void)state;
    assert_in_child(rlimits_in_child);
}

static void cpu_at_its_hard_limit_in_child(void)
{
    const struct rlimit hard = { 5, 9 };
    struct rlimit limit;

    must(setrlimit(RLIMIT_CPU, &hard) == 0);
    apply_in_child((struct bough_process_limits){ .rlimits.cpu_ms = 9000 });
    must(getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur == 9);
    must(limit.rlim_max == 9);
}

static void the_hard_limit_of_cpu_time_is_not_raised(void **state)
{
    (void)state;
    assert_in_child(cpu_at_its_hard_limit_in_child);
}

static void nothing_in_child(void)
{
    struct rlimit before[RLIM_NLIMITS], after;

    for (int i = 0; i < RLIM_NLIMITS; i++)
        must(getrlimit(i, &before[i]) == 0);
    apply_in_child((struct bough_process_limits){ .user = NULL });
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        must(getrlimit(i, &after) == 0);
        must(memcmp(&after, &before[i], sizeof(after)) == 0);
    }
    must(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
}

static void an_empty_plan_changes_nothing(void **state)
{
    (void)state;
    assert_in_child(nothing_in_child);
}

static void no_new_privs_in_child(void)
{
    apply_in_child((struct bough_process_limits){ .no_new_privs = true });
    must(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void no_new_privs_is_set(void **state)
{
    (void)state;
    assert_in_child(no_new_privs_in_child);
}

static int oom_score_adj(void)
{
    FILE *file = fopen("/proc/self/oom_score_adj", "r");
    char line[16] = "";

    if (file == NULL || fgets(line, sizeof(line), file) == NULL) return -9999;
    fclose(file);
    return (int)strtol(line, NULL, 10);
}

/* Who is not root may make it greater, and then less again down to where it began. */
static void oom_score_in_child(void)
{
    apply_in_child((struct bough_process_limits){ .oom_score_adj = 1000 });
    must(oom_score_adj() == 1000);
    apply_in_child((struct bough_process_limits){ .oom_score_adj = 907 });
    must(oom_score_adj() == 907);
    if (geteuid() != 0) return;
    apply_in_child((struct bough_process_limits){ .any_oom_score_adj = true });
    must(oom_score_adj() == 0);
}

static void the_score_for_want_of_memory_is_set(void **state)
{
    (void)state;
    assert_in_child(oom_score_in_child);
}

static void become_nobody(void)
{
    uid_t uid, effective, saved;
    gid_t groups[4];

    if (geteuid() != 0) _exit(NOT_ROOT);
    must(setgroups(2, (const gid_t[]){ 3, 4 }) == 0);
    apply_in_child((struct bough_process_limits){ .user = "65534", .group = "4242" });
    must(getresuid(&uid, &effective, &saved) == 0);
    must(uid == NOBODY && effective == NOBODY && saved == NOBODY);
    must(getgid() == 4242 && getegid() == 4242);
    const int count = getgroups(4, groups);
    must(count >= 0 && count <= 4);
    for (int i = 0; i < count; i++)
        must(groups[i] != 3 && groups[i] != 4);
    must(setuid(0) != 0);
}

static void it_becomes_another_user_for_good(void **state)
{
    (void)state;
    assert_in_child(become_nobody);
}

static void another_group_in_child(void)
{
    if (geteuid() != 0) _exit(NOT_ROOT);
    must(setgroups(2, (const gid_t[]){ 3, 4 }) == 0);
    apply_in_child((struct bough_process_limits){ .group = "4242" });
    must(getuid() == 0 && getgid() == 4242 && getgroups(0, NULL) == 0);
}

static void a_group_alone_leaves_the_user(void **state)
{
    (void)state;
    assert_in_child(another_group_in_child);
}

/* Refused */

static void plan_of_a_user_in_child(void)
{
    const struct bough_process_limits user = { .user = "root" }, group = { .group = "0" };
    struct bough_limits_plan plan;
    struct bough_error error;

    if (geteuid() == 0) must(setuid(NOBODY) == 0);
    must(bough_limits_plan(&user, &plan, &error) == BOUGH_EDENIED);
    must(strstr(error.text, "only root can give a process another user; this is user "));
    must(bough_limits_plan(&group, &plan, &error) == BOUGH_EDENIED);
    must(strstr(error.text, "only root can give a process another group; this is user "));
}

static void only_root_has_other_users(void **state)
{
    (void)state;
    assert_in_child(plan_of_a_user_in_child);
}

static void must_explain(const struct bough_limits_plan *plan, enum bough_limit_kind kind,
                         const char *text)
{
    struct bough_error error;
    const enum bough_limit_kind failed = bough_limits_apply(plan);
    const int why = errno;

    must(failed == kind);
    must(bough_limits_explain(plan, failed, why, &error) == BOUGH_ESYSTEM);
    must(strcmp(error.text, text) == 0);
    must(error.errno_value == why);
}

/* No kernel has so many, and no process that is not root raises a hard limit. */
static void refused_in_child(void)
{
    struct bough_limits_plan plan =
        plan_in_child((struct bough_process_limits){ .rlimits.files = 1 << 30 });
    const struct rlimit small = { 4096, 4096 };

    must_explain(&plan, BOUGH_LIMIT_FILES,
                 "cannot set the rlimit files to 1073741824: Operation not permitted");
    must(setrlimit(RLIMIT_CORE, &small) == 0);
    must(setrlimit(RLIMIT_AS, &(struct rlimit){ (rlim_t)1 << 46, (rlim_t)1 << 46 }) == 0);
    must(setrlimit(RLIMIT_CPU, &(struct rlimit){ 9, 9 }) == 0);
    if (geteuid() == 0) must(setuid(NOBODY) == 0);
    plan.rlimits = (struct bough_rlimits){ .core = 8192 };
    must_explain(&plan, BOUGH_LIMIT_CORE,
                 "cannot set the rlimit core to 8192 bytes: Operation not permitted");
    plan.rlimits = (struct bough_rlimits){ .memory = BOUGH_FOREVER };
    must_explain(&plan, BOUGH_LIMIT_MEMORY,
                 "cannot set the rlimit memory to infinity: Operation not permitted");
    plan.rlimits = (struct bough_rlimits){ .cpu_ms = 10000 };
    must_explain(&plan, BOUGH_LIMIT_CPU,
                 "cannot set the rlimit cpu to 10 seconds: Operation not permitted");
    plan = (struct bough_limits_plan){ .sets_group = true, .gid = 5 };
    must_explain(&plan, BOUGH_LIMIT_GROUPS,
                 "cannot take on the groups of its user: Operation not permitted");
}

static void what_the_system_refuses_is_named(void **state)
{
    (void)state;
    assert_in_child(refused_in_child);
}

/* Of a process that is not dumpable, as after a change of user, it belongs to root. */
static void score_refused_in_child(void)
{
    const struct bough_limits_plan plan = { .any_oom_score_adj = true,
                                            .oom_score_adj = -1000 };

    if (geteuid() == 0) must(setuid(NOBODY) == 0);
    must_explain(&plan, BOUGH_LIMIT_OOM_SCORE_ADJ,
                 "cannot set oom_score_adj to -1000: Permission denied");
}

static void a_better_score_is_for_root(void **state)
{
    (void)state;
    assert_in_child(score_refused_in_child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_rlimits_is_sound),
        cmocka_unit_test(each_range_is_checked),
        cmocka_unit_test(the_ends_of_each_range_are_allowed),
        cmocka_unit_test(anything_in_it_is_seen),
        cmocka_unit_test(a_user_brings_its_group_and_its_groups),
        cmocka_unit_test(a_group_given_is_the_first_of_them),
        cmocka_unit_test(a_group_alone_is_the_only_one),
        cmocka_unit_test(a_number_that_nobody_has_needs_a_group),
        cmocka_unit_test(names_that_are_not_there_are_told),
        cmocka_unit_test(no_memory_for_a_name_is_told),
        cmocka_unit_test(a_plan_that_is_not_allowed_is_refused),
        cmocka_unit_test(rlimits_are_set),
        cmocka_unit_test(the_hard_limit_of_cpu_time_is_not_raised),
        cmocka_unit_test(an_empty_plan_changes_nothing),
        cmocka_unit_test(no_new_privs_is_set),
        cmocka_unit_test(the_score_for_want_of_memory_is_set),
        cmocka_unit_test(it_becomes_another_user_for_good),
        cmocka_unit_test(a_group_alone_leaves_the_user),
        cmocka_unit_test(only_root_has_other_users),
        cmocka_unit_test(what_the_system_refuses_is_named),
        cmocka_unit_test(a_better_score_is_for_root),
    };
    return cmocka_run_group_tests_name("core/limits", tests, NULL, NULL);
}
