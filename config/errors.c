/* errors.c - what is wrong with a config, gathered in any order and printed in that of
 * the text.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/errors_internal.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 512 }; /* bytes of one sentence */

/* Room for one more; NULL when it is only counted, or memory is out. */
static struct bough_noted_error *note(struct bough_errors *errors,
                                      enum bough_status status, const char *text,
                                      size_t pointer_len, char **pointer)
{
    struct bough_noted_error *noted = &errors->noted[errors->kept];
    const char *copy;

    errors->count++;
    if (errors->kept == BOUGH_CONFIG_ERRORS_MAX) return NULL;
    copy = bough_arena_copy(errors->arena, text, strlen(text));
    *pointer = bough_arena_alloc(errors->arena, pointer_len + 1, 1);
    if (copy == NULL || *pointer == NULL) return NULL;
    *noted = (struct bough_noted_error){
        .error = { .status = status, .pointer = *pointer, .text = copy },
    };
    errors->kept++;
    return noted;
}

bool bough_errors_skip(struct bough_errors *errors)
{
    if (errors->kept < BOUGH_CONFIG_ERRORS_MAX) return false;
    errors->count++;
    return true;
}

void bough_errors_add_file(struct bough_errors *errors, enum bough_status status,
                           const char *format, ...)
{
    char text[TEXT_MAX];
    char *pointer;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)note(errors, status, text, 0, &pointer);
}

void bough_errors_add_offset(struct bough_errors *errors, size_t offset,
                             const struct bough_json_place *place, const char *format,
                             ...)
{
    size_t len = bough_pointer_length(place);
    struct bough_noted_error *noted;
    char text[TEXT_MAX];
    char *pointer;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    noted = note(errors, BOUGH_EINVALID, text, len, &pointer);
    if (noted == NULL) return;
    bough_pointer_print(place, pointer, len + 1);
    noted->offset = offset;
    noted->placed = true;
}

void bough_errors_add(struct bough_errors *errors, const struct bough_json_place *place,
                      enum bough_at at, const char *text)
{
    size_t len = bough_pointer_length(place);
    char *pointer;
    struct bough_noted_error *noted = note(errors, BOUGH_EINVALID, text, len, &pointer);

    if (noted == NULL) return;
    bough_pointer_print(place, pointer, len + 1);
    noted->at = at;
}

void bough_errors_add_pointer(struct bough_errors *errors, const char *pointer,
                              const char *format, ...)
{
    char text[TEXT_MAX];
    char *copy;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (note(errors, BOUGH_EINVALID, text, strlen(pointer), &copy) != NULL)
        memcpy(copy, pointer, strlen(pointer));
}

/* In the order of the text; what is about the whole file comes first. */
static int compare(const void *a, const void *b)
{
    const struct bough_noted_error *left = a, *right = b;

    if (left->placed != right->placed) return left->placed ? 1 : -1;
    if (left->offset != right->offset) return left->offset < right->offset ? -1 : 1;
    return strcmp(left->error.text, right->error.text);
}

/* An error that cannot be placed is about the whole file then. */
static void locate(struct bough_errors *errors, struct bough_noted_error *noted,
                   struct bough_locator *locator)
{
    if (noted->placed || locator == NULL) return;
    noted->placed =
        bough_pointer_locate(locator, noted->error.pointer, noted->at, &noted->offset);
    if (!noted->placed) errors->arena->failed = true;
}

void bough_errors_settle(struct bough_errors *errors, struct bough_source *source,
                         struct bough_locator *locator)
{
    for (size_t i = 0; i < errors->kept; i++)
        locate(errors, &errors->noted[i], locator);
    qsort(errors->noted, errors->kept, sizeof(errors->noted[0]), compare);
    for (size_t i = 0; i < errors->kept; i++) {
        struct bough_noted_error *noted = &errors->noted[i];

        if (noted->placed)
            bough_source_position(source, noted->offset, &noted->error.line,
                                  &noted->error.column);
    }
}

static void print_one(const struct bough_noted_error *noted,
                      const struct bough_source *source, const char *word, FILE *stream)
{
    const struct bough_config_error *error = &noted->error;

    bough_source_print_safe(source->name, stream);
    if (error->line > 0) fprintf(stream, ":%d:%d", error->line, error->column);
    fprintf(stream, ": %s: ", word);
    bough_source_print_safe(error->text, stream);
    fputc('\n', stream);
    if (*error->pointer != '\0') {
        fputs("  at ", stream);
        bough_source_print_safe(error->pointer, stream);
        fputc('\n', stream);
    }
    if (error->line > 0) bough_source_print(source, noted->offset, error->line, stream);
}

void bough_errors_print(const struct bough_errors *errors,
                        const struct bough_source *source, const char *word, FILE *stream)
{
    size_t more = errors->count - errors->kept;

    for (size_t i = 0; i < errors->kept; i++)
        print_one(&errors->noted[i], source, word, stream);
    if (more == 0) return;
    bough_source_print_safe(source->name, stream);
    fprintf(stream, ": %s: and %zu more\n", word, more);
}
