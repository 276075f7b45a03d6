/* http.c - see http.h.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/http.h>

#include <bough/core/field.h>

struct bough_http bough_http;

static const struct bough_library_function functions[] = {
#define ROW(function) { #function, offsetof(struct bough_http, function) },
    BOUGH_HTTP_FUNCTIONS(ROW)
#undef ROW
};

enum bough_status bough_http_load(struct bough_error *error)
{
    static bool loaded;
    const char *why;

    loaded = loaded || bough_library_load(BOUGH_HTTP_LIBRARY, functions,
                                          bough_count_of(functions), &bough_http, &why);
    if (loaded) return BOUGH_OK;
    return bough_error_set(error, BOUGH_ESYSTEM, "libmicrohttpd cannot be loaded: %s",
                           why);
}
