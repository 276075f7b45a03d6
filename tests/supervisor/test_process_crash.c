/* test_process_crash.c - what is told of a process that dies of a fault.
 *
 * SPDX-License-Identifier: MIT */
#include <sys/mman.h>

#include <bough/supervisor/process/nursery_internal.h>
#include <bough/tests/supervisor/fragile.h>

/* An actor that breaks in ways of its own. A sanitizer would see most of it coming. */

#define BREAKS __attribute__((noinline, no_sanitize("address", "undefined")))

enum fault {
    TOUCHES,
    ABORTS,
    DIVIDES,
    DIGS,
    MAPS_NOTHING,
    CALLS_NOTHING,
    ASKS_KERNEL,
    CALLS_LIBRARY,
    LOSES_STACK,
    FAULT_COUNT
};

static volatile int zero; /* the compiler does not know that it is */

static BREAKS void crasher_touches(void)
{
    *(volatile int *)(uintptr_t)(8 + (unsigned)zero) = 1;
}

static BREAKS void crasher_aborts(void)
{
    abort();
}

static BREAKS int crasher_divides(void)
{
    return 7 / zero;
}

static BREAKS int crasher_digs(volatile int *below)
{
    volatile int room[1024];

    room[0] = *below + 1;
    return room[0] == zero ? 0 : crasher_digs(room) + room[0];
}

/* A page of a file that has none. */
static BREAKS void crasher_maps_nothing(void)
{
    const int fd = memfd_create("nothing", MFD_CLOEXEC);
    volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    page[16] = 1;
}

static BREAKS int crasher_calls_nothing(void)
{
    int (*volatile nothing)(void) = NULL;

    return nothing() + 1;
}

/* In what the kernel maps into each process, where it answers there. */
static BREAKS int crasher_asks_kernel(void)
{
    clock_gettime(CLOCK_MONOTONIC, (struct timespec *)(uintptr_t)(8 + (unsigned)zero));
    __builtin_trap();
}

/* As where a program calls a library: where the caller is depends on how far it has come
 * there. */
#if defined(__x86_64__)
__asm__(".text\n\t.balign 16\n\t.type crasher_stub, @function\ncrasher_stub:\n\t"
        ".cfi_startproc\n\t"
        ".cfi_escape 0x0f, 0x0b, 0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, "
        "0x24, 0x22\n\t"
        "ud2\n\t.cfi_endproc\n\t.size crasher_stub, . - crasher_stub\n");
void crasher_stub(void);
#else
static BREAKS void crasher_stub(void)
{
    __builtin_trap();
}
#endif

static BREAKS int crasher_calls_library(void)
{
    crasher_stub();
    return zero;
}

/* There is nothing to be copied. */
static BREAKS void crasher_loses_stack(void)
{
#if defined(__x86_64__)
    __asm__ volatile("mov $0x10, %rsp\n\tmov $0x10, %rbp\n\tud2");
#else
    __builtin_trap();
#endif
}

static void crasher_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct fragile_message *message = data;
    volatile int bottom = zero;

    (void)actor, (void)size;
    switch ((enum fault)message->number) {
    case TOUCHES: crasher_touches(); break;
    case ABORTS: crasher_aborts(); break;
    case DIVIDES: bottom = crasher_divides(); break;
    case DIGS: bottom = crasher_digs(&bottom); break;
    case MAPS_NOTHING: crasher_maps_nothing(); break;
    case CALLS_NOTHING: bottom = crasher_calls_nothing(); break;
    case ASKS_KERNEL: bottom = crasher_asks_kernel(); break;
    case CALLS_LIBRARY: bottom = crasher_calls_library(); break;
    case LOSES_STACK: crasher_loses_stack(); break;
    case FAULT_COUNT: break;
    }
}

static const struct bough_actor_type crasher_type = {
    .name = "crasher",
    .help = "Breaks.",
    .message_size = sizeof(struct fragile_message),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = fragile_init,
    .run = crasher_run,
};

static int setup(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fragile", .type = &crasher_type, .isolation = BOUGH_PROCESS },
    };
    struct tree *tree = start(children, bough_count_of(children));

    assert_status(bough_lookup(tree->loop, "/fragile", &tree->fragile), BOUGH_OK);
    *state = tree;
    return 0;
}

/* Breaks, and waits for the report. */
static const struct fragile_end *break_by(struct tree *tree, enum fault fault)
{
    const int before = tree->end.reports;

    assert_status(ask_once(tree, FRAGILE_ECHO, fault).status, BOUGH_ECRASHED);
    while (tree->end.reports == before)
        one_round(tree);
    assert_int_equal(tree->end.cause, tree->end.seq);
    assert_int_equal(tree->end.reason.kind, BOUGH_EXIT_SIGNAL);
    assert_int_equal(tree->end.reason.number, tree->end.crash.signal);
    return &tree->end;
}

/* With libdw, function and file are there; without, the address is. */
static void assert_in_backtrace(const struct fragile_end *end, const char *function)
{
    assert_true(strncmp(end->backtrace, "#0 ", 3) == 0);
#ifdef BOUGH_SYMBOLS
    if (strstr(end->backtrace, function) == NULL ||
        strstr(end->backtrace, "test_process_crash.c:") == NULL)
        fail_msg("no %s in\n%s", function, end->backtrace);
#else
    (void)function;
    assert_non_null(strstr(end->backtrace, "0x"));
#endif
}

static void each_fault_is_told_with_its_function(void **state)
{
    static const struct {
        const char *function, *text;
        int signal;
        bool addressed;
    } facts[FAULT_COUNT] = {
        [TOUCHES] = { "crasher_touches+", "at 0x8: nothing is there", SIGSEGV, true },
        [ABORTS] = { "crasher_aborts+", "raised by itself", SIGABRT, false },
        [DIVIDES] = { "crasher_divides+", "integer division by zero", SIGFPE, false },
        [DIGS] = { "crasher_digs+", "at 0x", SIGSEGV, true },
        [MAPS_NOTHING] = { "crasher_maps_nothing+", "no such memory", SIGBUS, true },
    };
    struct tree *tree = *state;

    for (enum fault fault = TOUCHES; fault <= MAPS_NOTHING; fault++) {
        const struct fragile_end *end = break_by(tree, fault);

        assert_int_equal(end->crash.signal, facts[fault].signal);
        assert_int_equal(end->crash.has_address, facts[fault].addressed);
        assert_non_null(strstr(end->crash.what, facts[fault].text));
        assert_non_null(strstr(end->reason.text, facts[fault].text));
        assert_in_backtrace(end, facts[fault].function);
    }
    break_by(tree, DIGS);
#ifdef BOUGH_SYMBOLS
    assert_non_null(strstr(tree->end.backtrace, " more of the same"));
#endif
    assert_int_equal(tree->end.crash.message_size, sizeof(struct fragile_message));
    assert_true(tree->end.crash.memory > 0 && tree->end.crash.minor_faults > 0);
}

/* Who called is told, where the innermost frame is in no file. */
static void a_call_of_nothing_is_told_with_its_caller(void **state)
{
    const struct fragile_end *end = break_by(*state, CALLS_NOTHING);

    assert_int_equal(end->crash.signal, SIGSEGV);
#ifdef BOUGH_SYMBOLS
    if (strncmp(end->backtrace, "#0  0x0\n#1  crasher_calls_nothing+", 33) != 0)
        fail_msg("in\n%s", end->backtrace);
#endif
    assert_in_backtrace(end, "crasher_run+");
    end = break_by(*state, ASKS_KERNEL);
    assert_in_backtrace(end, "crasher_asks_kernel");
    assert_in_backtrace(end, "crasher_run+");
    end = break_by(*state, CALLS_LIBRARY);
    assert_in_backtrace(end, "crasher_calls_library");
    assert_in_backtrace(end, "crasher_run+");
}

/* The next life does not, and where too many wait nobody else does. */
static void a_report_waits_for_its_turn(void **state)
{
    struct tree *tree = *state;
    struct bough_place_info info;
    int readers = 0, waiting = 0;

    while (bough_nursery_lend_reader(tree->nursery))
        readers++;
    assert_in_range(readers, 1, 16);
    while (bough_nursery_queue(tree->nursery))
        waiting++;
    assert_in_range(waiting, 1, 16);
    break_by(tree, TOUCHES);
    assert_true(strncmp(tree->end.backtrace, "#0  0x", 6) == 0);
    assert_null(strchr(tree->end.backtrace, '\n'));
    while (waiting-- > 0)
        bough_nursery_leave_queue(tree->nursery);

    assert_status(ask_once(tree, FRAGILE_ECHO, TOUCHES).status, BOUGH_ECRASHED);
    do {
        look_again(tree);
        assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
    } while (info.life != 3 || info.state != BOUGH_PLACE_RUNNING);
    assert_int_equal(tree->end.reports, 1);
    while (readers-- > 0)
        bough_nursery_return_reader(tree->nursery);
    while (tree->end.reports == 1)
        one_round(tree);
    assert_in_backtrace(&tree->end, "crasher_touches+");
}

/* It dies of the fault that came first. */
static void a_stack_that_is_not_there_ends_the_walk_alone(void **state)
{
    const struct fragile_end *end = break_by(*state, LOSES_STACK);

    assert_true(end->crash.signal == SIGILL || end->crash.signal == SIGTRAP);
    assert_in_backtrace(end, "crasher_loses_stack+");
}

/* One report a second is in the log, whatever happens; all are events. */
static void the_log_is_not_flooded(void **state)
{
    enum { MANY = 20 };
    struct tree *tree = *state;
    const int64_t begin = bough_loop_now_ms(tree->loop);
    int64_t logged = 0;

    for (int i = 0; i < MANY; i++)
        break_by(tree, TOUCHES);
    const int64_t seconds = (bough_loop_now_ms(tree->loop) - begin) / 1000;
    for (const char *at = tree->log; (at = strstr(at, "died of SEGV")) != NULL; at++)
        logged++;
    assert_in_range(logged, 1, 2 + seconds);
    assert_int_equal(tree->end.reports, MANY);
}

/* A signal that is sent is told as what it is, and so are those that no handler sees. */
static void a_signal_from_outside_is_told_so(void **state)
{
    struct tree *tree = *state;
    struct bough_place_info info;

    assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
    kill((pid_t)info.pid, SIGSEGV);
    while (tree->end.reports == 0)
        one_round(tree);
    assert_string_equal(tree->end.crash.what, "SEGV: sent by kill()");
    assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
    kill((pid_t)info.pid, SIGKILL);
    while (tree->end.reason.number != SIGKILL)
        one_round(tree);
    assert_string_equal(tree->end.reason.text, "");
    assert_int_equal(tree->end.reports, 1);
}

/* Handlers are for processes where actors live alone. */
static void the_program_itself_has_no_handler(void **state)
{
    static const int faults[] = { SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL, SIGALRM };
    struct sigaction before[bough_count_of(faults)], after;
    struct tree *tree;

    for (size_t i = 0; i < bough_count_of(faults); i++)
        sigaction(faults[i], NULL, &before[i]);
    setup(state);
    tree = *state;
    break_by(tree, TOUCHES);
    for (size_t i = 0; i < bough_count_of(faults); i++) {
        sigaction(faults[i], NULL, &after);
        assert_ptr_equal(before[i].sa_handler, after.sa_handler);
    }
    assert_int_equal(teardown(state), 0);
}

#define test_of(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(each_fault_is_told_with_its_function),
        test_of(a_call_of_nothing_is_told_with_its_caller),
        test_of(a_report_waits_for_its_turn),
        test_of(a_stack_that_is_not_there_ends_the_walk_alone),
        test_of(the_log_is_not_flooded),
        test_of(a_signal_from_outside_is_told_so),
        cmocka_unit_test(the_program_itself_has_no_handler),
    };
    return cmocka_run_group_tests_name("supervisor/process_crash", tests, NULL, NULL);
}
