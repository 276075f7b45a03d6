/* curl.h - libcurl, for the commands that talk to a tree.
 *
 * Loaded by who needs it: `bough run` does not, and would have twenty libraries more in
 * each of its processes, among them all that libcurl can speak besides HTTP.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_CURL_H
#define BOUGH_TOOLS_BOUGH_CURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include <bough/core/library.h>

#define BOUGH_CURL_FUNCTIONS(F) \
    F(curl_easy_cleanup) \
    F(curl_easy_getinfo) \
    F(curl_easy_init) \
    F(curl_easy_perform) \
    F(curl_easy_reset) \
    F(curl_easy_setopt) \
    F(curl_easy_strerror) \
    F(curl_slist_append) \
    F(curl_slist_free_all)

/* After bough_curl_load(). */
extern struct bough_curl {
    BOUGH_CURL_FUNCTIONS(BOUGH_LIBRARY_MEMBER)
} bough_curl;

/* False: it cannot be had; complains. */
bool bough_curl_load(void);

#endif
