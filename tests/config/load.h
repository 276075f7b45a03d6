/* load.h - configs in the text of a test: one that must be right, one that has one error.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_CONFIG_LOAD_H
#define BOUGH_TESTS_CONFIG_LOAD_H

#include <string.h>

#include <bough/actors/types.h>
#include <bough/config/config.h>
#include <bough/tests/support/unit.h>

/* Loads a text that must be right. */
static inline struct bough_config *load_with(const char *text,
                                             const struct bough_actor_type *const *types)
{
    struct bough_config *config =
        bough_config_parse("test.json", text, strlen(text), types);

    assert_non_null(config);
    if (bough_config_error_count(config) > 0) {
        bough_config_print_errors(config, stderr);
        fail_msg("the config is not right");
    }
    assert_non_null(bough_config_tree(config));
    return config;
}

static inline struct bough_config *load(const char *text)
{
    return load_with(text, bough_actor_types);
}

/* Asserts that a text has this one error. */
static inline void check_error(const char *text,
                               const struct bough_actor_type *const *types,
                               const char *sentence)
{
    struct bough_config *config =
        bough_config_parse("test.json", text, strlen(text), types);

    assert_non_null(config);
    assert_null(bough_config_tree(config));
    assert_int_equal(bough_config_error_count(config), 1);
    assert_string_equal(bough_config_error_at(config, 0)->text, sentence);
    bough_config_free(config);
}

#endif
