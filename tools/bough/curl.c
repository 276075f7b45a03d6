/* curl.c - see curl.h.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/curl.h>

#include <bough/core/field.h>
#include <bough/tools/bough/output.h>

struct bough_curl bough_curl;

static const struct bough_library_function functions[] = {
#define ROW(function) { #function, offsetof(struct bough_curl, function) },
    BOUGH_CURL_FUNCTIONS(ROW)
#undef ROW
};

bool bough_curl_load(void)
{
    const char *why;

    if (bough_library_load(BOUGH_CURL_LIBRARY, functions, bough_count_of(functions),
                           &bough_curl, &why))
        return true;
    bough_complain("libcurl is needed to talk to a tree, and cannot be loaded: %s", why);
    return false;
}
