/* nearby.c - who lives near a path at which nobody does.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/nearby.h>

#include <stdio.h>
#include <string.h>

#include <bough/core/place.h>
#include <bough/core/text.h>

enum { SHOWN = 8 }; /* names */

struct children {
    const char *above;
    size_t above_length, count;
    char names[SHOWN][BOUGH_NAME_MAX + 1];
};

static void take_child(void *data, struct bough_address place,
                       const struct bough_place_info *info)
{
    struct children *children = data;
    const char *name = info->path + children->above_length;

    (void)place;
    if (strcmp(info->path, children->above) == 0) return;
    name += name[0] == '/';
    if (strchr(name, '/') != NULL) return;
    if (children->count < SHOWN)
        bough_text_format(children->names[children->count], sizeof(children->names[0]),
                          "%s", name);
    children->count++;
}

/* The nearest one above that is there, or "". */
static void find_above(struct bough_loop *loop, const char *path, char *above)
{
    struct bough_address place;
    char *slash;

    bough_text_format(above, BOUGH_PATH_MAX, "%s", path);
    while ((slash = strrchr(above, '/')) != NULL) {
        slash[slash == above && slash[1] != '\0'] = '\0';
        if (bough_lookup(loop, above, &place) == BOUGH_OK) return;
    }
    above[0] = '\0';
}

static void print_children(const struct children *children, char *text)
{
    const size_t shown = children->count < SHOWN ? children->count : SHOWN;
    size_t length =
        bough_text_format(text, BOUGH_NEARBY_TEXT, "; %s has ", children->above);

    if (children->count == 0)
        length += bough_text_format(text + length, BOUGH_NEARBY_TEXT - length,
                                    "nobody below it");
    for (size_t i = 0; i < shown; i++) {
        const char *before = i == 0 ? "" : i + 1 == children->count ? " and " : ", ";

        length += bough_text_format(text + length, BOUGH_NEARBY_TEXT - length, "%s\"%s\"",
                                    before, children->names[i]);
    }
    if (children->count > shown)
        bough_text_format(text + length, BOUGH_NEARBY_TEXT - length, " and %zu more",
                          children->count - shown);
}

const char *bough_nearby_print(struct bough_loop *loop, const char *path, char *text)
{
    char above[BOUGH_PATH_MAX];
    struct children children = { .above = above };

    text[0] = '\0';
    find_above(loop, path, above);
    if (above[0] == '\0') return text;
    children.above_length = strcmp(above, "/") == 0 ? 0 : strlen(above);
    if (bough_place_visit(loop, above, take_child, &children) == BOUGH_OK)
        print_children(&children, text);
    return text;
}
