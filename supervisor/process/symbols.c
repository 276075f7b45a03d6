/* symbols.c - a backtrace, made of a copy of a stack.
 *
 * With libdw, in a process that is forked for it and has nothing to lose: the stack is
 * that of a process that had gone mad, and the files that are looked into were named by
 * it. Without, and when that process fails, the innermost frame is a file and an offset,
 * for addr2line(1).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/crash_internal.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bough/core/library.h>
#include <bough/supervisor/process/process_internal.h>

#ifdef BOUGH_SYMBOLS
#include <elfutils/libdwfl.h>
#include <sys/auxv.h>
#endif

struct text {
    char *bytes;
    size_t size, length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text,
                                                      const char *format, ...)
{
    const size_t room = text->size - text->length;
    va_list arguments;

    va_start(arguments, format);
    const int count = vsnprintf(text->bytes + text->length, room, format, arguments);
    va_end(arguments);
    if (count > 0) text->length += (size_t)count < room ? (size_t)count : room - 1;
}

/* Without names */

/* A line "begin-end rwxp offset device inode path" of /proc/self/maps. */
struct mapping {
    uint64_t begin, end, offset;
    char path[256];
};

/* The first one of which `is_it` says so. */
static bool find_mapping(const char *maps, struct mapping *found,
                         bool (*is_it)(const struct mapping *mapping, uint64_t address),
                         uint64_t address)
{
    for (const char *line = maps; line != NULL && *line != '\0';) {
        found->path[0] = '\0';
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %*x:%*x %*u %255[^\n]",
                   &found->begin, &found->end, &found->offset, found->path) >= 3 &&
            is_it(found, address))
            return true;
        line = strchr(line, '\n');
        if (line != NULL) line++;
    }
    return false;
}

static bool holds(const struct mapping *mapping, uint64_t address)
{
    return mapping->begin <= address && address < mapping->end;
}

static void print_bare(struct text *text, const char *maps, uint64_t address)
{
    struct mapping file;

    if (find_mapping(maps, &file, holds, address) && file.path[0] != '\0')
        add(text, "0x%" PRIx64 " (%s+0x%" PRIx64 ")", address, file.path,
            address - file.begin + file.offset);
    else
        add(text, "0x%" PRIx64, address);
}

void bough_crash_print_innermost(const struct bough_crash_area *area,
                                 char bytes[BOUGH_CRASH_TEXT])
{
    struct text text = { bytes, BOUGH_CRASH_TEXT, 0 };

    bytes[0] = '\0';
    if (!bough_crash_is_known(area)) return;
    add(&text, "#0  ");
    print_bare(&text, area->maps, area->stack.counter);
}

/* With names */

#ifdef BOUGH_SYMBOLS

/* Of libdw, and of libelf below it. Loaded by who reads a report, and not with the
 * program: they and what they need take a third of a megabyte of every process that may
 * never see a crash. */
#define FUNCTIONS(F) \
    F(dwfl_addrmodule) \
    F(dwfl_attach_state) \
    F(dwfl_begin) \
    F(dwfl_end) \
    F(dwfl_frame_pc) \
    F(dwfl_getthread_frames) \
    F(dwfl_lineinfo) \
    F(dwfl_linux_proc_find_elf) \
    F(dwfl_linux_proc_maps_report) \
    F(dwfl_module_addrinfo) \
    F(dwfl_module_getsrc) \
    F(dwfl_module_info) \
    F(dwfl_report_end) \
    F(dwfl_report_module) \
    F(dwfl_standard_find_debuginfo) \
    F(dwfl_thread_state_register_pc) \
    F(dwfl_thread_state_registers) \
    F(elf_memory) \
    F(elf_version)

static struct dw {
    FUNCTIONS(BOUGH_LIBRARY_MEMBER)
} dw;

static const struct bough_library_function functions[] = {
#define ROW(function) { #function, offsetof(struct dw, function) },
    FUNCTIONS(ROW)
#undef ROW
};

/* False: it is not on this machine. */
static bool load(void)
{
    const char *why;

    return bough_library_load(BOUGH_DW_LIBRARY, functions, bough_count_of(functions), &dw,
                              &why) &&
           dw.elf_version(EV_CURRENT) != EV_NONE;
}

/* What the kernel maps into every process, and is no file. It is the same here, for this
 * process was forked from the same program. */

#define VDSO "[vdso]"

static bool is_vdso(const struct mapping *mapping, uint64_t address)
{
    return mapping->begin == address && strcmp(mapping->path, VDSO) == 0;
}

static int find_elf(Dwfl_Module *module, void **user_data, const char *name,
                    Dwarf_Addr base, char **file, Elf **elf)
{
    Dwarf_Addr begin, end;

    if (strcmp(name, VDSO) != 0)
        return dw.dwfl_linux_proc_find_elf(module, user_data, name, base, file, elf);
    dw.dwfl_module_info(module, NULL, &begin, &end, NULL, NULL, NULL, NULL);
    *elf = dw.elf_memory((char *)(uintptr_t)begin, end - begin);
    return -1;
}

static int find_nothing(Dwfl_Module *module, void **user_data, const char *name,
                        Dwarf_Addr base, const char *file, const char *link,
                        GElf_Word crc, char **found)
{
    (void)module, (void)user_data, (void)name, (void)base;
    (void)file, (void)link, (void)crc, (void)found;
    return -1;
}

/* What the user has said for a debugger, that it may ask the network, is not for a
 * program that is at work: it has the names that are in its own files. */
static Dwfl_Callbacks callbacks_of(void)
{
    return (Dwfl_Callbacks){
        .find_elf = find_elf,
        .find_debuginfo = getenv("DEBUGINFOD_URLS") == NULL
                              ? dw.dwfl_standard_find_debuginfo
                              : find_nothing,
    };
}

/* All that was mapped. */
static bool report_modules(Dwfl *dwfl, const char *maps)
{
    FILE *lines = fmemopen((void *)(uintptr_t)maps, strlen(maps), "r");
    struct mapping vdso;

    if (lines == NULL) return false;
    const bool reported = dw.dwfl_linux_proc_maps_report(dwfl, lines) == 0;
    fclose(lines);
    if (!reported) return false;
    if (find_mapping(maps, &vdso, is_vdso, getauxval(AT_SYSINFO_EHDR)))
        dw.dwfl_report_module(dwfl, VDSO, vdso.begin, vdso.end);
    return dw.dwfl_report_end(dwfl, NULL, NULL) == 0;
}

/* Along the stack */

enum { FRAMES_MAX = 48 };

struct walk {
    const struct bough_crash_stack *stack;
    uint64_t registers[BOUGH_CRASH_REGISTERS], counter;
    uint64_t frames[FRAMES_MAX]; /* what is looked up, innermost first */
    uint32_t count;
};

static bool read_stack(const struct bough_crash_stack *stack, uint64_t address,
                       uint64_t *word)
{
    const uint64_t at = address - stack->begin;

    if (stack->size < sizeof(*word) || at > stack->size - sizeof(*word)) return false;
    memcpy(word, stack->bytes + at, sizeof(*word));
    return true;
}

static pid_t next_thread(Dwfl *dwfl, void *data, void **thread)
{
    (void)dwfl;
    if (*thread != NULL) return 0;
    *thread = data;
    return getpid();
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word, void *data)
{
    const struct walk *walk = data;

    (void)dwfl;
    return read_stack(walk->stack, address, word);
}

static bool set_registers(Dwfl_Thread *thread, void *data)
{
    const struct walk *walk = data;

    dw.dwfl_thread_state_register_pc(thread, walk->counter);
    return dw.dwfl_thread_state_registers(thread, 0, BOUGH_CRASH_REGISTERS,
                                          walk->registers);
}

/* Of a caller it is where it goes on: the call lies before. */
static int on_frame(Dwfl_Frame *frame, void *data)
{
    struct walk *walk = data;
    bool interrupted;
    Dwarf_Addr counter;

    if (walk->count == FRAMES_MAX || !dw.dwfl_frame_pc(frame, &counter, &interrupted))
        return DWARF_CB_ABORT;
    walk->frames[walk->count++] = counter - (interrupted ? 0 : 1);
    return DWARF_CB_OK;
}

/* From where nothing is, as who calls NULL: it has just been called. */
static void step_back(struct walk *walk)
{
    uint64_t back = 0;

    walk->frames[walk->count++] = walk->counter;
#if defined(__x86_64__)
    enum { STACK_POINTER = 7, COUNTER = 16 };
    if (read_stack(walk->stack, walk->registers[STACK_POINTER], &back))
        walk->registers[STACK_POINTER] += sizeof(back);
    walk->registers[COUNTER] = back > 0 ? back - 1 : 0;
#elif defined(__aarch64__)
    enum { LINK = 30 };
    back = walk->registers[LINK];
#endif
    walk->counter = back > 0 ? back - 1 : 0;
}

/* Whether there is code of some file. */
static bool is_code(const char *maps, uint64_t address)
{
    struct mapping file;

    return find_mapping(maps, &file, holds, address) &&
           (file.path[0] == '/' || strcmp(file.path, VDSO) == 0);
}

static void walk_along(Dwfl *dwfl, const char *maps, struct walk *walk)
{
    static const Dwfl_Thread_Callbacks callbacks = {
        .next_thread = next_thread,
        .memory_read = read_memory,
        .set_initial_registers = set_registers,
    };

    if (!is_code(maps, walk->counter)) step_back(walk);
    if (dw.dwfl_attach_state(dwfl, NULL, getpid(), &callbacks, walk))
        dw.dwfl_getthread_frames(dwfl, getpid(), on_frame, walk);
    if (walk->count == 0) walk->frames[walk->count++] = walk->counter;
}

/* Words */

/* How many frames are the same as this one, which comes first: of a function that calls
 * itself. More than a few are not printed. */
static uint32_t same_from(const struct walk *walk, uint32_t frame)
{
    uint32_t count = 1;

    while (frame + count < walk->count &&
           walk->frames[frame + count] == walk->frames[frame])
        count++;
    return count;
}

/* The next one to print. */
static uint32_t step(struct text *text, const struct walk *walk, uint32_t frame)
{
    enum { FEW = 3 };
    const uint32_t count = same_from(walk, frame);

    if (count <= FEW) return frame + 1;
    add(text, "\n    %" PRIu32 " more of the same", count - 1);
    return frame + count;
}

static void print_source(struct text *text, Dwfl_Module *module, uint64_t address)
{
    Dwfl_Line *line = dw.dwfl_module_getsrc(module, address);
    const char *file;
    int number;

    file = line != NULL ? dw.dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
    if (file != NULL) add(text, " (%s:%d)", file, number);
}

/* False: what comes then is how the process came to be, the same for all. */
static bool print_named(struct text *text, Dwfl *dwfl, const char *maps, uint64_t address)
{
    Dwfl_Module *module = dw.dwfl_addrmodule(dwfl, address);
    GElf_Off offset;
    GElf_Sym symbol;
    const char *name = module != NULL ? dw.dwfl_module_addrinfo(module, address, &offset,
                                                                &symbol, NULL, NULL, NULL)
                                      : NULL;

    if (name == NULL) {
        print_bare(text, maps, address);
        return true;
    }
    add(text, "%s+0x%" PRIx64, name, (uint64_t)offset);
    print_source(text, module, address);
    const char *file =
        dw.dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    if (file != NULL && strrchr(file, '/') != NULL)
        add(text, " in %s", strrchr(file, '/') + 1);
    return strcmp(name, "bough_process_main") != 0;
}

static void print_frames(struct text *text, Dwfl *dwfl, const char *maps,
                         const struct walk *walk)
{
    for (uint32_t i = 0; i < walk->count; i = step(text, walk, i)) {
        add(text, "%s#%-2" PRIu32 " ", i > 0 ? "\n" : "", i);
        if (!print_named(text, dwfl, maps, walk->frames[i])) break;
    }
}

void bough_crash_print(const struct bough_crash_area *area, char bytes[BOUGH_CRASH_TEXT])
{
    struct text text = { bytes, BOUGH_CRASH_TEXT, 0 };
    struct walk walk = { .stack = &area->stack, .counter = area->stack.counter };

    memcpy(walk.registers, area->stack.registers, sizeof(walk.registers));
    bytes[0] = '\0';
    if (!bough_crash_is_known(area)) return;
    const bool loaded = load();
    const Dwfl_Callbacks callbacks = callbacks_of();
    Dwfl *dwfl = loaded ? dw.dwfl_begin(&callbacks) : NULL;
    if (dwfl == NULL || !report_modules(dwfl, area->maps)) {
        bough_crash_print_innermost(area, bytes);
    } else {
        walk_along(dwfl, area->maps, &walk);
        print_frames(&text, dwfl, area->maps, &walk);
    }
    if (dwfl != NULL) dw.dwfl_end(dwfl);
}

#else

void bough_crash_print(const struct bough_crash_area *area, char bytes[BOUGH_CRASH_TEXT])
{
    bough_crash_print_innermost(area, bytes);
}

#endif

/* What it reads may be made to keep it busy, to hold it up (a pipe, where a file is
 * expected), or to take up memory. A sanitizer has its own idea of memory. */
static void limit_itself(void)
{
    enum { BUSY_SECONDS = 20, SECONDS = 30 };
    const struct rlimit time = { BUSY_SECONDS, BUSY_SECONDS }, none = { 0, 0 };

    setrlimit(RLIMIT_CPU, &time);
    setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const struct rlimit memory = { (rlim_t)8 << 30, (rlim_t)8 << 30 };
    setrlimit(RLIMIT_AS, &memory);
#endif
    alarm(SECONDS);
}

void bough_crash_read(int socket, int file)
{
    static char bytes[BOUGH_CRASH_TEXT];
    const struct bough_crash_area *area =
        mmap(NULL, sizeof(*area), PROT_READ, MAP_SHARED, file, 0);

    if (area == MAP_FAILED || area->fault.maps_size > BOUGH_CRASH_MAPS_MAX ||
        area->stack.size > BOUGH_CRASH_STACK_MAX)
        _exit(BOUGH_CODE_CONFUSED);
    limit_itself();
    unsetenv("DEBUGINFOD_URLS"); /* so that it looks for files beside those, too */
    bough_crash_print(area, bytes);
    (void)!send(socket, bytes, strlen(bytes), MSG_NOSIGNAL);
    _exit(0);
}
