/* client.h - talking to the tree that runs, over its control socket.
 *
 * All functions complain by themselves when something goes wrong, and return the exit
 * code that says what. An error answer is one line on stderr, "bough: /path: status:
 * text", or with --json the object itself on stdout.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_CLIENT_H
#define BOUGH_TOOLS_BOUGH_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <bough/tools/bough/curl.h>
#include <bough/tools/bough/sockets.h>
#include <bough/tools/bough/verbs.h>

enum { BOUGH_CLIENT_WAIT_MS = 10000 }; /* for an answer that needs no actor */

struct bough_client {
    /* private */
    CURL *curl;
    char socket[BOUGH_SOCKET_PATH];
    bool json;
    int64_t limit_ms;
};

/* Finds the tree as the options say. Finish it only when BOUGH_CODE_DONE was returned. */
int bough_client_init(struct bough_client *client,
                      const struct bough_arguments *arguments);
void bough_client_finish(struct bough_client *client);

/* No exchange from now on takes longer, a stream neither; 0: as long as they say. */
void bough_client_limit(struct bough_client *client, int64_t limit_ms);

/* Asks for a resource, "/v1/tree". `about` is the path in messages, or NULL. `*answer`
 * gets the JSON, the caller's, only with BOUGH_CODE_DONE. */
int bough_client_get(struct bough_client *client, const char *resource, const char *about,
                     json_t **answer);

/* The same by POST; takes `body`. Waits `wait_ms`, 0: for ever. */
int bough_client_post(struct bough_client *client, const char *resource,
                      const char *about, json_t *body, int64_t wait_ms, json_t **answer);

/* Reads a stream of lines, for ever: each without its line feed. A stream that ends with
 * the tree, or because `line` returned false, is BOUGH_CODE_DONE. `about` as above. */
int bough_client_stream(struct bough_client *client, const char *resource,
                        const char *about, bool (*line)(void *data, const char *text),
                        void *data);

/* "/v1/actors" + path + "/" + action (NULL: none). NULL, complained, when the path is not
 * one; to be freed with free(). */
char *bough_client_actor(const char *path, const char *action);

#endif
