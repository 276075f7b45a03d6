/* config.c - from a file to a tree or to its errors: read, scan, parse, check.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/config_internal.h>
#include <bough/config/quote_internal.h>
#include <bough/config/scan_internal.h>
#include <bough/core/assert.h>

/* Life */

static void add_to_errors(struct bough_report *report,
                          const struct bough_json_place *place, enum bough_at at,
                          const char *text)
{
    bough_errors_add(&bough_container(report, struct bough_config, report)->errors, place,
                     at, text);
}

static struct bough_config *config_new(const struct bough_actor_type *const *types)
{
    struct bough_config *config = calloc(1, sizeof(*config));

    if (config == NULL) return NULL;
    config->types = types;
    config->errors.arena = &config->arena;
    config->warnings.arena = &config->arena;
    config->report.add = add_to_errors;
    config->references_end = &config->references;
    return config;
}

void bough_config_free(struct bough_config *config)
{
    if (config == NULL) return;
    bough_source_finish(&config->source);
    bough_arena_finish(&config->arena);
    free(config);
}

/* UTF-8 */

static bool check_utf8(struct bough_config *config)
{
    const struct bough_json_place root = { .up = NULL };
    const struct bough_source *source = &config->source;

    if (source->len >= 2 && (memcmp(source->text, "\xff\xfe", 2) == 0 ||
                             memcmp(source->text, "\xfe\xff", 2) == 0)) {
        bough_errors_add_file(&config->errors, BOUGH_EINVALID,
                              "the file is UTF-16; it must be UTF-8");
        return false;
    }
    for (size_t at = 0; at < source->len;) {
        size_t size = bough_utf8_char(source->text + at, source->len - at);

        if (size == 0) {
            bough_errors_add_offset(&config->errors, at, &root,
                                    "not UTF-8: the byte 0x%02x begins no character here",
                                    (unsigned char)source->text[at]);
            return false;
        }
        at += size;
    }
    return true;
}

/* From text to values */

/* What the scan lets pass, jansson parses (the tests try hard to find what it does not):
 * when it fails nevertheless, memory is out. It does not always say so. */
static json_t *parse(struct bough_config *config)
{
    json_t *json = json_loadb(config->json, config->source.len,
                              JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);

    if (json == NULL) config->arena.failed = true;
    return json;
}

static bool copy_text(struct bough_config *config)
{
    const struct bough_source *source = &config->source;
    size_t mark = bough_source_mark(source);

    config->json = malloc(source->len + 1);
    if (config->json == NULL) {
        config->arena.failed = true;
        return false;
    }
    memcpy(config->json, source->text, source->len + 1);
    memset(config->json, ' ', mark);
    config->locator.text = config->json;
    config->locator.len = source->len;
    return true;
}

static void warn(struct bough_config *config, const json_t *root)
{
    bough_config_warn(config, root);
    bough_errors_settle(&config->warnings, &config->source, &config->locator);
}

/* NULL also when memory is out, which the arena knows. */
static const char *folder_of(struct bough_config *config)
{
    const char *name = config->source.name, *slash = strrchr(name, '/');

    if (slash == NULL) return NULL;
    return bough_arena_copy(&config->arena, name, (size_t)(slash + 1 - name));
}

static void check(struct bough_config *config)
{
    json_t *root = NULL;
    bool right;

    if (!check_utf8(config) || !copy_text(config)) {
        bough_errors_settle(&config->errors, &config->source, NULL);
        return;
    }
    right = bough_scan(config->json, config->source.len, &config->errors, &config->steps);
    if (right) root = parse(config);
    config->folder = folder_of(config);
    if (root != NULL) bough_config_check(config, root);
    bough_errors_settle(&config->errors, &config->source,
                        right ? &config->locator : NULL);
    bough_config_check_finish(config);
    if (root != NULL && config->errors.count == 0) warn(config, root);
    json_decref(root);
    free(config->json);
    config->json = NULL;
}

/* The source has been read or has not; `status` and `error` say. */
static struct bough_config *finish_load(struct bough_config *config,
                                        enum bough_status status,
                                        const struct bough_error *error)
{
    if (status == BOUGH_ENOMEM)
        config->arena.failed = true;
    else if (status != BOUGH_OK)
        bough_errors_add_file(&config->errors, status, "%s", error->text);
    else
        check(config);
    config->types = NULL;
    if (!config->arena.failed) return config;
    bough_config_free(config);
    return NULL;
}

struct bough_config *bough_config_load(const char *file,
                                       const struct bough_actor_type *const *types)
{
    struct bough_config *config = config_new(types);
    struct bough_error error;
    const char *name;
    enum bough_status status;

    if (config == NULL) return NULL;
    name = bough_arena_copy(&config->arena, file, strlen(file));
    status =
        name == NULL ? BOUGH_ENOMEM : bough_source_read(&config->source, name, &error);
    return finish_load(config, status, &error);
}

struct bough_config *bough_config_parse(const char *file, const char *text, size_t len,
                                        const struct bough_actor_type *const *types)
{
    struct bough_config *config = config_new(types);
    struct bough_error error;
    const char *name;
    enum bough_status status;

    if (config == NULL) return NULL;
    name = bough_arena_copy(&config->arena, file, strlen(file));
    status = name == NULL ? BOUGH_ENOMEM
                          : bough_source_copy(&config->source, name, text, len, &error);
    return finish_load(config, status, &error);
}

/* Results */

const struct bough_config_tree *bough_config_tree(const struct bough_config *config)
{
    return config->errors.count == 0 ? &config->tree : NULL;
}

size_t bough_config_error_count(const struct bough_config *config)
{
    return config->errors.count;
}

size_t bough_config_error_kept(const struct bough_config *config)
{
    return config->errors.kept;
}

const struct bough_config_error *bough_config_error_at(const struct bough_config *config,
                                                       size_t index)
{
    bough_assert(index < config->errors.kept);
    return &config->errors.noted[index].error;
}

void bough_config_print_errors(const struct bough_config *config, FILE *stream)
{
    bough_errors_print(&config->errors, &config->source, "error", stream);
}

size_t bough_config_warning_count(const struct bough_config *config)
{
    return config->warnings.count;
}

size_t bough_config_warning_kept(const struct bough_config *config)
{
    return config->warnings.kept;
}

const struct bough_config_error *
bough_config_warning_at(const struct bough_config *config, size_t index)
{
    bough_assert(index < config->warnings.kept);
    return &config->warnings.noted[index].error;
}

void bough_config_print_warnings(const struct bough_config *config, bool strict,
                                 FILE *stream)
{
    bough_errors_print(&config->warnings, &config->source, strict ? "error" : "warning",
                       stream);
}
