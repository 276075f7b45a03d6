/* fault.c - what a process has written of the fault it died of, read and checked.
 *
 * It is a copy that is looked at, for whoever wrote it may still be there; and of the
 * copy every number is checked, for it may be anything.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/crash_internal.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bough/core/text.h>
#include <bough/supervisor/process/process_internal.h>

/* Reading */

static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGILL ||
           number == SIGFPE || number == SIGABRT || number == SIGSYS || number == SIGTRAP;
}

static const struct bough_crash_area *area_of(const struct bough_host *host)
{
    return (const struct bough_crash_area *)(uintptr_t)bough_border_crash_area(
        &host->border);
}

static bool copy_fault(const struct bough_crash_fault *theirs,
                       struct bough_crash_fault *fault)
{
    const uint32_t written = atomic_load_explicit(&theirs->written, memory_order_acquire);

    if (written == BOUGH_CRASH_NONE) return false;
    memcpy(fault, theirs, sizeof(*fault));
    atomic_store_explicit(&fault->written, written, memory_order_relaxed);
    if (!is_fault(fault->signal)) return false;
    if (written < BOUGH_CRASH_MAPS || fault->maps_size > BOUGH_CRASH_MAPS_MAX)
        fault->maps_size = 0;
    if (written < BOUGH_CRASH_RUNNER ||
        memchr(fault->runner, '\0', sizeof(fault->runner)) == NULL ||
        !bough_path_valid(fault->runner))
        fault->runner[0] = '\0';
    return true;
}

/* Of the stack the numbers may be anything: who looks into it has nothing to lose. */
static void copy_stack(const struct bough_crash_stack *theirs,
                       struct bough_crash_stack *stack)
{
    memcpy(stack, theirs, offsetof(struct bough_crash_stack, bytes));
    if (stack->size > BOUGH_CRASH_STACK_MAX) stack->size = 0;
    memcpy(stack->bytes, theirs->bytes, stack->size);
}

bool bough_fault_read(const struct bough_host *host, struct bough_crash_area *area)
{
    const struct bough_crash_area *theirs = area_of(host);

    if (!copy_fault(&theirs->fault, &area->fault)) return false;
    memcpy(area->maps, theirs->maps, area->fault.maps_size);
    area->maps[area->fault.maps_size] = '\0';
    if (area->fault.written < BOUGH_CRASH_STACK)
        area->stack.counter = area->stack.size = 0;
    else
        copy_stack(&theirs->stack, &area->stack);
    return true;
}

/* Words */

static const char *code_text(int number, int code)
{
    if (code == SI_USER) return "sent by kill()";
    if (code == SI_TKILL) return "raised by itself";
    if (number == SIGSEGV && code == SEGV_MAPERR) return "nothing is there";
    if (number == SIGSEGV && code == SEGV_ACCERR) return "not allowed there";
    if (number == SIGBUS && code == BUS_ADRALN) return "not aligned";
    if (number == SIGBUS && code == BUS_ADRERR) return "no such memory";
    if (number == SIGFPE && code == FPE_INTDIV) return "integer division by zero";
    if (number == SIGFPE && code == FPE_INTOVF) return "integer overflow";
    if (number == SIGILL) return "no such instruction";
    return "";
}

bool bough_fault_has_address(const struct bough_crash_fault *fault)
{
    return (fault->signal == SIGSEGV || fault->signal == SIGBUS) && fault->code > 0 &&
           fault->code != SI_KERNEL;
}

static void print_place(const struct bough_crash_fault *fault,
                        char text[BOUGH_FAULT_TEXT])
{
    const char *meaning = code_text(fault->signal, fault->code);
    size_t used = 0;

    text[0] = '\0';
    if (bough_fault_has_address(fault))
        used = bough_text_format(text, BOUGH_FAULT_TEXT, "at 0x%" PRIx64, fault->address);
    if (meaning[0] != '\0')
        bough_text_format(text + used, BOUGH_FAULT_TEXT - used, "%s%s",
                          used > 0 ? ": " : "", meaning);
}

void bough_fault_print_end(const struct bough_host *host, int number,
                           char text[BOUGH_FAULT_TEXT])
{
    struct bough_crash_fault fault;

    text[0] = '\0';
    if (copy_fault(&area_of(host)->fault, &fault) && fault.signal == number)
        print_place(&fault, text);
}

void bough_fault_print(const struct bough_crash_fault *fault, char text[BOUGH_FAULT_TEXT])
{
    const char *name = sigabbrev_np(fault->signal);
    char place[BOUGH_FAULT_TEXT];

    print_place(fault, place);
    const char *between = bough_fault_has_address(fault) ? " " : ": ";
    bough_text_format(text, BOUGH_FAULT_TEXT, "%s%s%s", name != NULL ? name : "a signal",
                      place[0] != '\0' ? between : "", place);
}

void bough_fault_clean(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        const unsigned char byte = (unsigned char)*at;

        if ((byte < ' ' && byte != '\n') || byte == 0x7f) *at = '?';
    }
    if (bough_utf8_valid(text, strlen(text))) return;
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at >= 0x80) *at = '?';
    }
}

/* The core file: where it is the kernel knows, and says it as a pattern, core(5) */

enum { PATTERN = 160, CORE_PATH = 384 };

static void read_line(const char *name, char *line, size_t size)
{
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    const ssize_t count = file >= 0 ? read(file, line, size - 1) : -1;

    if (file >= 0) close(file);
    line[count > 0 ? count : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

/* What stands for the letter; false: it is not known here. */
static bool expand(char letter, const struct bough_core *core, char *word, size_t size)
{
    struct utsname system;

    switch (letter) {
    case '%': bough_text_format(word, size, "%%"); return true;
    case 'p': bough_text_format(word, size, "%" PRId64, core->pid); return true;
    case 's': bough_text_format(word, size, "%d", core->signal); return true;
    case 'e': bough_text_format(word, size, "%s", BOUGH_CHILD_NAME); return true;
    case 'h':
        if (uname(&system) != 0) return false;
        bough_text_format(word, size, "%s", system.nodename);
        return true;
    default: return false;
    }
}

/* False: the pattern says what only the process knew. */
static bool apply(const char *pattern, const struct bough_core *core,
                  char path[CORE_PATH])
{
    bool names_pid = false;
    char uses_pid[8];
    size_t used = 0;

    for (const char *at = pattern; *at != '\0'; at++) {
        char word[80] = { *at };

        if (used + sizeof(word) > CORE_PATH) return false;
        if (*at == '%') {
            if (at[1] == '\0') break;
            names_pid |= *++at == 'p';
            if (!expand(*at, core, word, sizeof(word))) return false;
        }
        used += bough_text_format(path + used, CORE_PATH - used, "%s", word);
    }
    read_line("/proc/sys/kernel/core_uses_pid", uses_pid, sizeof(uses_pid));
    if (uses_pid[0] == '1' && !names_pid)
        bough_text_format(path + used, CORE_PATH - used, ".%" PRId64, core->pid);
    return true;
}

/* Of a name without a folder it is the one where the process was, mostly this one. Said
 * to be there only when it is. */
static bool find(const char *pattern, const struct bough_core *core, char path[CORE_PATH])
{
    char name[CORE_PATH] = "", folder[256] = "";
    struct stat about;

    if (!apply(pattern, core, name)) return false;
    if (name[0] != '/' && getcwd(folder, sizeof(folder)) == NULL) return false;
    bough_text_format(path, CORE_PATH, "%s%s%s", folder, folder[0] != '\0' ? "/" : "",
                      name);
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

void bough_fault_print_core(const struct bough_core *core, char *text, size_t size)
{
    char pattern[PATTERN], path[CORE_PATH];

    read_line("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
    if (pattern[0] == '|')
        bough_text_format(text, size, "a core was dumped into the program %s",
                          pattern + 1);
    else if (find(pattern, core, path))
        bough_text_format(text, size, "its core file is %s", path);
    else
        bough_text_format(text, size, "a core was dumped by the pattern %s", pattern);
    bough_fault_clean(text);
}
