/* symbols.c - names for the addresses of a crash.
 *
 * With libdw, in a process that is forked for it and has nothing to lose: the files it
 * looks into were named by a process that had gone mad. Without, and when that process
 * fails, each frame is a file and an offset, for addr2line(1).
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

static void begin_line(struct text *text, uint32_t frame)
{
    add(text, "%s#%-2" PRIu32 " ", frame > 0 ? "\n" : "", frame);
}

/* Of a caller it is where it goes on: the call lies before. */
static uint64_t address_of(const struct bough_crash_area *area, uint32_t frame)
{
    return area->frames[frame] - (frame > 0 ? 1 : 0);
}

/* How many frames are the same as this one, which comes first: of a function that calls
 * itself. More than a few are not printed. */
static uint32_t same_from(const struct bough_crash_area *area, uint32_t frame)
{
    uint32_t count = 1;

    while (frame + count < area->frame_count &&
           area->frames[frame + count] == area->frames[frame])
        count++;
    return count;
}

/* The next one to print. */
static uint32_t step(struct text *text, const struct bough_crash_area *area,
                     uint32_t frame)
{
    enum { FEW = 3 };
    const uint32_t count = same_from(area, frame);

    if (count <= FEW) return frame + 1;
    add(text, "\n    %" PRIu32 " more of the same", count - 1);
    return frame + count;
}

/* Without names */

/* Of the line "begin-end rwxp offset device inode path" that has the address in it. */
static bool find_file(const char *maps, uint64_t address, uint64_t *offset,
                      char path[256])
{
    uint64_t begin, end, begins;

    for (const char *line = maps; line != NULL && *line != '\0';) {
        path[0] = '\0';
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %*x:%*x %*u %255[^\n]",
                   &begin, &end, &begins, path) >= 3 &&
            begin <= address && address < end) {
            *offset = address - begin + begins;
            return path[0] != '\0';
        }
        line = strchr(line, '\n');
        if (line != NULL) line++;
    }
    return false;
}

static void print_bare(struct text *text, const char *maps, uint64_t address)
{
    uint64_t offset;
    char path[256];

    if (find_file(maps, address, &offset, path))
        add(text, "0x%" PRIx64 " (%s+0x%" PRIx64 ")", address, path, offset);
    else
        add(text, "0x%" PRIx64, address);
}

void bough_crash_print(const struct bough_crash_area *area, const char *maps, char *bytes,
                       size_t size)
{
    struct text text = { bytes, size, 0 };

    bytes[0] = '\0';
    for (uint32_t i = 0; i < area->frame_count; i = step(&text, area, i)) {
        begin_line(&text, i);
        print_bare(&text, maps, address_of(area, i));
    }
}

/* Without names */

static void print_addresses(struct text *text, const struct bough_crash_area *area,
                            char *maps)
{
    bough_crash_print(area, maps, text->bytes, text->size);
    text->length = strlen(text->bytes);
}

/* With names */

#ifdef BOUGH_SYMBOLS

/* Of libdw. Loaded by who reads a report, and not with the program: it and what it needs
 * take a third of a megabyte of every process that may never see a crash. */
#define FUNCTIONS(F) \
    F(dwfl_addrmodule) \
    F(dwfl_begin) \
    F(dwfl_lineinfo) \
    F(dwfl_linux_proc_find_elf) \
    F(dwfl_linux_proc_maps_report) \
    F(dwfl_module_addrinfo) \
    F(dwfl_module_getsrc) \
    F(dwfl_module_info) \
    F(dwfl_report_end) \
    F(dwfl_standard_find_debuginfo)

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
                              &why);
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

static void print_all(struct text *text, const struct bough_crash_area *area, char *maps)
{
    const bool loaded = load();
    const Dwfl_Callbacks callbacks = {
        .find_elf = dw.dwfl_linux_proc_find_elf,
        .find_debuginfo = dw.dwfl_standard_find_debuginfo,
    };

    if (!loaded) {
        print_addresses(text, area, maps);
        return;
    }
    FILE *lines = fmemopen(maps, strlen(maps), "r");
    Dwfl *dwfl = lines != NULL ? dw.dwfl_begin(&callbacks) : NULL;

    if (dwfl == NULL || dw.dwfl_linux_proc_maps_report(dwfl, lines) != 0) return;
    dw.dwfl_report_end(dwfl, NULL, NULL);
    for (uint32_t i = 0; i < area->frame_count; i = step(text, area, i)) {
        begin_line(text, i);
        if (!print_named(text, dwfl, maps, address_of(area, i))) break;
    }
}

#else

static void print_all(struct text *text, const struct bough_crash_area *area, char *maps)
{
    print_addresses(text, area, maps);
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
    static char maps[BOUGH_CRASH_MAPS_MAX + 1];
    struct text text = { bytes, sizeof(bytes), 0 };
    const struct bough_crash_area *area =
        mmap(NULL, BOUGH_CRASH_ROOM, PROT_READ, MAP_SHARED, file, 0);

    if (area == MAP_FAILED || area->frame_count > BOUGH_CRASH_FRAMES_MAX ||
        area->maps_size >= sizeof(maps))
        _exit(BOUGH_CODE_CONFUSED);
    limit_itself();
    unsetenv("DEBUGINFOD_URLS"); /* it would ask the network */
    memcpy(maps, area + 1, area->maps_size);
    print_all(&text, area, maps);
    (void)!send(socket, bytes, text.length, MSG_NOSIGNAL);
    _exit(0);
}
