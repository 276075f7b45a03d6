/* test_mutations.c - no text can crash the check, and every wrong one gets an error.
 *
 * Seeded mutations of the examples and the broken files: bytes changed, removed,
 * repeated, pieces of one put into another. Run under asan, where a read out of bounds is
 * a failure. Its long form (BOUGH_TEST_LONG=1) makes many more.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include <bough/tests/config/load.h>

enum { ROUNDS = 20000, ROUNDS_LONG = 1000000, TEXT_MAX = 16384, SEEDS_MAX = 256 };

struct text {
    char *bytes;
    size_t len;
};

struct corpus {
    struct text texts[SEEDS_MAX];
    size_t count;
};

static void corpus_add(struct corpus *corpus, const char *pattern)
{
    const char *source = getenv("BOUGH_SOURCE");
    char path[4096];
    glob_t files;

    snprintf(path, sizeof(path), "%s/%s", source == NULL ? "." : source, pattern);
    assert_int_equal(glob(path, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc && corpus->count < SEEDS_MAX; i++) {
        struct text *text = &corpus->texts[corpus->count];
        FILE *file = fopen(files.gl_pathv[i], "r");

        assert_non_null(file);
        text->bytes = malloc(TEXT_MAX);
        assert_non_null(text->bytes);
        text->len = fread(text->bytes, 1, TEXT_MAX, file);
        fclose(file);
        corpus->count++;
    }
    globfree(&files);
}

static void corpus_free(struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++)
        free(corpus->texts[i].bytes);
}

static size_t below(uint64_t *seed, size_t bound)
{
    return bound == 0 ? 0 : bough_test_random(seed, (uint32_t)bound);
}

/* Replaces `cut` bytes at `at` by others, as far as there is room. */
static void splice(struct text *text, size_t at, size_t cut, const char *bytes,
                   size_t len)
{
    if (cut > text->len - at) cut = text->len - at;
    if (text->len - cut + len > TEXT_MAX) return;
    memmove(text->bytes + at + len, text->bytes + at + cut, text->len - at - cut);
    memcpy(text->bytes + at, bytes, len);
    text->len = text->len - cut + len;
}

static void mutate(struct text *text, const struct corpus *corpus, uint64_t *seed)
{
    static const char *const pieces[] = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "//",
        "/*",
        "*/",
        "\n",
        "\t",
        "0",
        "-1",
        "1e999",
        "null",
        "true",
        "\\u0000",
        "\\ud800",
        "\xff",
        "\xc3\xa9",
        "\xed\xa0\x80",
        "/",
        "\"name\": \"a\",",
        "\"type\": \"supervisor\", \"children\": [",
        "\"type\": \"worker\",",
        "\"infinity\"",
    };
    const struct text *other = &corpus->texts[below(seed, corpus->count)];
    size_t at = below(seed, text->len + 1), from = below(seed, other->len);
    const char *piece = pieces[below(seed, bough_count_of(pieces))];
    char byte = (char)below(seed, 256), copy[64];

    switch (below(seed, 5)) {
    case 0: splice(text, at, 1, &byte, 1); break;
    case 1: splice(text, at, below(seed, 20), "", 0); break;
    case 2: splice(text, at, below(seed, 3), piece, strlen(piece)); break;
    case 3:
        from = other->len > sizeof(copy) ? below(seed, other->len - sizeof(copy)) : 0;
        memcpy(copy, other->bytes + from,
               other->len < sizeof(copy) ? other->len : sizeof(copy));
        splice(text, at, 0, copy,
               below(seed, 1 + (other->len < sizeof(copy) ? other->len : sizeof(copy))));
        break;
    default: text->len = at; break;
    }
}

/* A tree or errors, never both, never neither; printing reads all positions. */
static bool check_one(const struct text *text, FILE *nowhere)
{
    struct bough_config *config =
        bough_config_parse("x.json", text->bytes, text->len, bough_actor_types);
    bool right;

    assert_non_null(config);
    right = bough_config_tree(config) != NULL;
    assert_int_equal(right, bough_config_error_count(config) == 0);
    for (size_t i = 0; i < bough_config_error_kept(config); i++)
        assert_true(bough_config_error_at(config, i)->text[0] != '\0');
    bough_config_print_errors(config, nowhere);
    bough_config_free(config);
    return right;
}

static void mutations_are_told_what_is_wrong(void **state)
{
    size_t rounds = getenv("BOUGH_TEST_LONG") != NULL ? ROUNDS_LONG : ROUNDS, right = 0;
    struct corpus corpus = { .count = 0 };
    struct text text = { .bytes = malloc(TEXT_MAX) };
    uint64_t seed = bough_test_seed();
    FILE *nowhere = fopen("/dev/null", "w");

    (void)state;
    corpus_add(&corpus, "config/examples/*.json");
    corpus_add(&corpus, "tests/config/bad/*.json");
    for (size_t i = 0; i < rounds; i++) {
        const struct text *origin = &corpus.texts[below(&seed, corpus.count)];

        memcpy(text.bytes, origin->bytes, origin->len);
        text.len = origin->len;
        for (size_t k = below(&seed, 4) + 1; k > 0; k--)
            mutate(&text, &corpus, &seed);
        right += check_one(&text, nowhere);
    }
    assert_true(right > 0);
    assert_true(right < rounds / 2);
    fclose(nowhere);
    free(text.bytes);
    corpus_free(&corpus);
}

/* Every beginning of an example is wrong, but for the whole. */
static void every_beginning_is_told_what_is_missing(void **state)
{
    struct corpus corpus = { .count = 0 };
    FILE *nowhere = fopen("/dev/null", "w");

    (void)state;
    corpus_add(&corpus, "config/examples/*.json");
    for (size_t i = 0; i < corpus.count; i++) {
        struct text text = corpus.texts[i];
        size_t whole = text.len;

        while (text.bytes[whole - 1] != '}')
            whole--;
        for (text.len = 0; text.len < whole; text.len++)
            assert_false(check_one(&text, nowhere));
        assert_true(check_one(&text, nowhere));
    }
    fclose(nowhere);
    corpus_free(&corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutations_are_told_what_is_wrong),
        cmocka_unit_test(every_beginning_is_told_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
