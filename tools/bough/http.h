/* http.h - libmicrohttpd, for the control socket and the port of metrics.
 *
 * Loaded by who serves: the nursery is forked before that, so that no actor's process has
 * it, with the ten libraries of TLS behind it that nothing here uses. They took a quarter
 * of the time from such a process's end to its next life.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_HTTP_H
#define BOUGH_TOOLS_BOUGH_HTTP_H

#include <microhttpd.h>

#include <bough/core/library.h>
#include <bough/core/status.h>

#define BOUGH_HTTP_FUNCTIONS(F) \
    F(MHD_add_response_header) \
    F(MHD_create_response_from_buffer) \
    F(MHD_create_response_from_callback) \
    F(MHD_destroy_response) \
    F(MHD_get_connection_info) \
    F(MHD_get_daemon_info) \
    F(MHD_get_timeout) \
    F(MHD_lookup_connection_value) \
    F(MHD_queue_response) \
    F(MHD_quiesce_daemon) \
    F(MHD_resume_connection) \
    F(MHD_run) \
    F(MHD_start_daemon) \
    F(MHD_stop_daemon) \
    F(MHD_suspend_connection)

/* After bough_http_load(). */
extern struct bough_http {
    BOUGH_HTTP_FUNCTIONS(BOUGH_LIBRARY_MEMBER)
} bough_http;

/* Once is enough. Errors: BOUGH_ESYSTEM, it cannot be had. Thread: one at a time. */
BOUGH_CHECKED enum bough_status bough_http_load(struct bough_error *error);

#endif
