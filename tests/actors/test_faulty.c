/* test_faulty.c - a faulty one does what it is told, and breaks as it is told.
 *
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/actors/faulty.h>
#include <bough/core/place.h>
#include <bough/tests/support/probe.h>

struct question {
    struct bough_call call;
    unsigned answers;
    enum bough_status status;
    int64_t number;
    char text[64];
};

static void done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, call);

    question->answers++;
    question->status = status;
    if (status != BOUGH_OK)
        snprintf(question->text, sizeof(question->text), "%s",
                 bough_call_text(call, status));
    else if (call->reply_size == sizeof(question->number))
        memcpy(&question->number, call->reply, call->reply_size);
    if (status == BOUGH_OK && call->reply_size > sizeof(struct bough_span)) {
        const struct bough_faulty_echo *echo = call->reply;

        snprintf(question->text, sizeof(question->text), "%s",
                 bough_span_text(echo, echo->text));
    }
}

static struct question unasked(void)
{
    return (struct question){ .call.done = done };
}

static struct bough_faulty spawn(struct bough_test *test)
{
    struct bough_faulty faulty;

    assert_status(
        bough_spawn(test->loop, &bough_faulty_type, NULL, NULL, &faulty.address, NULL),
        BOUGH_OK);
    return faulty;
}

static void end(struct bough_test *test, struct bough_faulty faulty)
{
    bough_stop(faulty.address);
    bough_test_run(test);
}

static void it_echoes_at_once_and_later(void **state)
{
    struct bough_test *test = *state;
    const struct bough_faulty faulty = spawn(test);
    struct question at_once = unasked(), later = unasked(), never = unasked();

    bough_faulty_echo(faulty, "later", 100, &later.call);
    bough_faulty_echo(faulty, "at once", 0, &at_once.call);
    bough_test_run(test);
    assert_string_equal(at_once.text, "at once");
    assert_int_equal(later.answers, 0);
    bough_test_advance(test, 100);
    assert_int_equal(later.answers, 1);
    assert_string_equal(later.text, "later");
    bough_faulty_echo(faulty, "never", 100, &never.call);
    bough_test_run(test);
    end(test, faulty);
    assert_status(never.status, BOUGH_EGONE);
}

static void it_counts_what_this_life_has_run(void **state)
{
    struct bough_test *test = *state;
    const struct bough_faulty faulty = spawn(test);
    struct question question = unasked();

    bough_faulty_count(faulty, &question.call);
    bough_test_run(test);
    assert_int_equal(question.number, 1);
    bough_faulty_count(faulty, &question.call);
    bough_test_run(test);
    assert_int_equal(question.number, 2);
    end(test, faulty);
}

static void it_keeps_what_it_has_leaked(void **state)
{
    struct bough_test *test = *state;
    const struct bough_faulty faulty = spawn(test);
    struct question question = unasked();

    bough_faulty_leak(faulty, 1000, &question.call);
    bough_test_run(test);
    assert_int_equal(question.number, 1000);
    bough_faulty_leak(faulty, 24, &question.call);
    bough_test_run(test);
    assert_int_equal(question.number, 1024);
    end(test, faulty);
}

static void it_hangs_for_as_long_as_it_is_told(void **state)
{
    struct bough_test *test = *state;
    const struct bough_faulty faulty = spawn(test);
    struct question question = unasked();

    bough_faulty_hang(faulty, 1, &question.call);
    bough_test_run(test);
    assert_status(question.status, BOUGH_OK);
    end(test, faulty);
}

static void an_error_ends_its_life_alone(void **state)
{
    struct bough_test *test = *state;
    const struct bough_faulty faulty = spawn(test);
    struct question question = unasked();

    bough_faulty_crash(faulty, BOUGH_FAULTY_ERROR, 0, &question.call);
    bough_test_run(test);
    assert_status(question.status, BOUGH_ECRASHED);
    assert_non_null(strstr(question.text, "told to fail"));
    assert_status(bough_send(faulty.address, "1234", 4), BOUGH_EGONE);
}

/* In a process of its own, with the signals as they are at first: sanitizers have theirs.
 */
static int break_in_a_child(struct bough_test *test, enum bough_faulty_how how)
{
    const struct rlimit no_core = { 0, 0 };
    int status;
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        const struct bough_faulty faulty = spawn(test);
        struct question question = unasked();

        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        signal(SIGFPE, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        setrlimit(RLIMIT_CORE, &no_core);
        alarm(60);
        bough_faulty_crash(faulty, how, 3, &question.call);
        bough_test_run(test);
        _exit(99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void it_breaks_in_each_way(void **state)
{
    static const struct {
        enum bough_faulty_how how;
        int number;
    } ways[] = {
        { BOUGH_FAULTY_SEGV, SIGSEGV },
        { BOUGH_FAULTY_ABORT, SIGABRT },
        { BOUGH_FAULTY_FPE, SIGFPE },
        { BOUGH_FAULTY_STACK, SIGSEGV },
    };

    for (size_t i = 0; i < bough_count_of(ways); i++) {
        const int status = break_in_a_child(*state, ways[i].how);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), ways[i].number);
    }
    const int status = break_in_a_child(*state, BOUGH_FAULTY_EXIT);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(it_echoes_at_once_and_later),
        test_of(it_counts_what_this_life_has_run),
        test_of(it_keeps_what_it_has_leaked),
        test_of(it_hangs_for_as_long_as_it_is_told),
        test_of(an_error_ends_its_life_alone),
        test_of(it_breaks_in_each_way),
    };
    return cmocka_run_group_tests_name("actors/faulty", tests, NULL, NULL);
}
