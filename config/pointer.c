/* pointer.c - JSON pointers: made from steps, followed through a text.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/pointer_internal.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Making one */

static size_t step_length(const struct bough_json_place *place)
{
    size_t len = 1;

    if (place->key == NULL) return len + (size_t)snprintf(NULL, 0, "%zu", place->index);
    for (const char *c = place->key; *c != '\0'; c++)
        len += *c == '~' || *c == '/' ? 2 : 1;
    return len;
}

size_t bough_pointer_length(const struct bough_json_place *place)
{
    size_t len = 0;

    for (; place->up != NULL; place = place->up)
        len += step_length(place);
    return len;
}

/* What does not fit is counted, not written. */
struct output {
    char *buffer;
    size_t size, used;
};

static void put(struct output *output, char c)
{
    if (output->used + 1 < output->size) output->buffer[output->used] = c;
    output->used++;
}

static void put_step(struct output *output, const struct bough_json_place *place)
{
    char index[24];
    const char *step = place->key;

    if (step == NULL) {
        snprintf(index, sizeof(index), "%zu", place->index);
        step = index;
    }
    put(output, '/');
    for (; *step != '\0'; step++) {
        if (*step == '~' || *step == '/') put(output, '~');
        put(output, *step == '~' ? '0' : *step == '/' ? '1' : *step);
    }
}

/* As deep as JSON may nest. */
static void put_steps(struct output *output, const struct bough_json_place *place)
{
    if (place->up == NULL) return;
    put_steps(output, place->up);
    put_step(output, place);
}

void bough_pointer_print(const struct bough_json_place *place, char *buffer, size_t size)
{
    struct output output = { .buffer = buffer, .size = size };

    put_steps(&output, place);
    buffer[output.used < size ? output.used : size - 1] = '\0';
}

/* Reading right JSON */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(const char *text, size_t len, size_t at)
{
    while (at < len && is_space(text[at]))
        at++;
    return at;
}

/* The end of the string that begins at `at`. */
static size_t string_end(const char *text, size_t len, size_t at)
{
    for (at++; at < len && text[at] != '"'; at++)
        if (text[at] == '\\') at++;
    return at < len ? at + 1 : len;
}

static bool ends_word(char c)
{
    return is_space(c) || c == ',' || c == ']' || c == '}' || c == ':';
}

size_t bough_json_skip(const char *text, size_t len, size_t at)
{
    size_t start = at, depth = 0;

    do {
        char c = text[at];

        if (c == '"') {
            at = string_end(text, len, at);
            continue;
        }
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        at++;
        if (depth == 0 && c != '}' && c != ']')
            while (at < len && !ends_word(text[at]))
                at++;
    } while (depth > 0 && at < len);
    return at - start;
}

static unsigned hex4(const char *digits)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        char c = digits[i];

        value = value * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* Any code point of a right \u escape; the buffer is a count when it is full. */
static void put_utf8(struct output *output, unsigned code)
{
    if (code < 0x80) {
        put(output, (char)code);
    } else if (code < 0x800) {
        put(output, (char)(0xc0 | code >> 6));
        put(output, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        put(output, (char)(0xe0 | code >> 12));
        put(output, (char)(0x80 | (code >> 6 & 0x3f)));
        put(output, (char)(0x80 | (code & 0x3f)));
    } else {
        put(output, (char)(0xf0 | code >> 18));
        put(output, (char)(0x80 | (code >> 12 & 0x3f)));
        put(output, (char)(0x80 | (code >> 6 & 0x3f)));
        put(output, (char)(0x80 | (code & 0x3f)));
    }
}

/* The escape whose letter is at `at`; returns where it ends. */
static size_t put_escape(struct output *output, const char *text, size_t at)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *letter = strchr(letters, text[at]);
    unsigned code;

    if (text[at] != 'u') {
        put(output, letter != NULL ? meanings[letter - letters] : text[at]);
        return at + 1;
    }
    code = hex4(text + at + 1);
    at += 5;
    if (code >= 0xd800 && code < 0xdc00) {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(text + at + 2) - 0xdc00);
        at += 6;
    }
    put_utf8(output, code);
    return at;
}

size_t bough_json_string(const char *text, size_t at, char *buffer, size_t size)
{
    struct output output = { .buffer = buffer, .size = size };

    for (at++; text[at] != '"';) {
        if (text[at] == '\\')
            at = put_escape(&output, text, at + 1);
        else
            put(&output, text[at++]);
    }
    if (size > 0) buffer[output.used < size ? output.used : size - 1] = '\0';
    return output.used;
}

/* Following one */

/* A step of a pointer, decoded, and room for a key to be compared with it. */
struct step {
    char *name, *scratch;
    size_t len;
};

/* Takes the first step, which ends with '/' or NUL; returns where the next begins. */
static const char *step_read(struct step *step, const char *pointer)
{
    step->len = 0;
    for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
        char c = *pointer;

        if (c == '~' && pointer[1] != '\0') c = *++pointer == '0' ? '~' : '/';
        step->name[step->len++] = c;
    }
    step->name[step->len] = '\0';
    return pointer;
}

static bool key_is(const char *text, size_t at, const struct step *step)
{
    return bough_json_string(text, at, step->scratch, step->len + 1) == step->len &&
           memcmp(step->scratch, step->name, step->len) == 0;
}

/* Looks at all keys, for the last of equals counts. */
static void find_in_object(const struct bough_locator *locator, size_t at,
                           const struct step *step, struct bough_locator_level *level)
{
    const char *text = locator->text;
    size_t len = locator->len;

    if (level->known && level->container == at && key_is(text, level->key, step)) return;
    *level = (struct bough_locator_level){ .container = at };
    for (at = skip_space(text, len, at + 1); at < len && text[at] == '"';) {
        size_t key = at;

        at = skip_space(text, len, string_end(text, len, at));
        at = skip_space(text, len, at + 1); /* the colon */
        if (at >= len) break;
        if (key_is(text, key, step)) {
            level->known = true;
            level->key = key;
            level->value = at;
        }
        at = skip_space(text, len, at + bough_json_skip(text, len, at));
        if (at < len && text[at] == ',') at = skip_space(text, len, at + 1);
    }
}

/* Goes on from the element that was found last, unless that is behind. */
static void find_in_array(const struct bough_locator *locator, size_t at, size_t index,
                          struct bough_locator_level *level)
{
    const char *text = locator->text;
    size_t len = locator->len;

    if (!level->known || level->container != at || level->index > index)
        *level = (struct bough_locator_level){ .container = at,
                                               .value = skip_space(text, len, at + 1) };
    level->known = false;
    for (at = level->value; at < len && text[at] != ']'; level->index++) {
        if (level->index == index) {
            level->known = true;
            level->key = level->value = at;
            return;
        }
        at = skip_space(text, len, at + bough_json_skip(text, len, at));
        if (at < len && text[at] == ',') at = skip_space(text, len, at + 1);
    }
}

static size_t follow(struct bough_locator *locator, const char *pointer,
                     enum bough_at part, struct step *step)
{
    size_t at = skip_space(locator->text, locator->len, 0);
    size_t depth = 0;

    while (*pointer == '/' && at < locator->len && depth < BOUGH_LOCATOR_LEVELS) {
        struct bough_locator_level *level = &locator->levels[depth++];
        char c = locator->text[at];

        pointer = step_read(step, pointer);
        if (c != '{' && c != '[') break;
        if (c == '{')
            find_in_object(locator, at, step, level);
        else
            find_in_array(locator, at, (size_t)strtoull(step->name, NULL, 10), level);
        if (!level->known) break;
        at = part == BOUGH_AT_KEY && *pointer == '\0' ? level->key : level->value;
    }
    return at < locator->len ? at : 0;
}

bool bough_pointer_locate(struct bough_locator *locator, const char *pointer,
                          enum bough_at part, size_t *offset)
{
    size_t size = strlen(pointer) + 1;
    struct step step = { .name = malloc(2 * size) };

    if (step.name == NULL) return false;
    step.scratch = step.name + size;
    *offset = follow(locator, pointer, part, &step);
    free(step.name);
    return true;
}
