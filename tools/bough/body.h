/* body.h - the body of a request, understood: an object of known members.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_BODY_H
#define BOUGH_TOOLS_BOUGH_BODY_H

#include <bough/tools/bough/request.h>

/* Its texts live as long as `json`. */
struct bough_body {
    json_t *json; /* to be released */
    const char *message, *reason;
    json_t *fields; /* NULL: none */
    int64_t timeout_ms;
    bool wait;
    bool high; /* the priority */
};

/* Understands the body, an absent one as {}; the names of the members that are allowed
 * end with NULL. False: refused; there is nothing to release. */
bool bough_body_parse(struct bough_request *request, const char *const *allowed,
                      struct bough_body *body);

#endif
