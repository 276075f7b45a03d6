/* scrape.c - the metrics of a tree as an answer over HTTP.
 *
 * A slow reader keeps the figures, some hundred bytes for each place, and one piece of
 * their text.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/scrape.h>

#include <stdlib.h>
#include <string.h>

#include <bough/tools/bough/metrics.h>

enum { BLOCK = 16 * 1024 }; /* bytes that the daemon asks for at once */

struct scrape {
    struct bough_metrics *metrics;
    char *piece; /* what is being sent */
    size_t size, sent;
};

static void scrape_free(void *data)
{
    struct scrape *scrape = data;

    bough_metrics_free(scrape->metrics);
    free(scrape->piece);
    free(scrape);
}

/* False: memory is out. A piece of no bytes is the end. */
static bool next_piece(struct scrape *scrape)
{
    FILE *file;
    bool more = true;

    free(scrape->piece);
    scrape->piece = NULL;
    scrape->size = scrape->sent = 0;
    file = open_memstream(&scrape->piece, &scrape->size);
    if (file == NULL) return false;
    while (more && ftell(file) == 0)
        more = bough_metrics_print(scrape->metrics, file);
    const bool failed = ferror(file) != 0;
    return fclose(file) == 0 && !failed;
}

static ssize_t read_scrape(void *data, uint64_t position, char *buffer, size_t size)
{
    struct scrape *scrape = data;

    (void)position;
    if (scrape->sent == scrape->size && !next_piece(scrape))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (scrape->size == 0) return MHD_CONTENT_READER_END_OF_STREAM;

    const size_t left = scrape->size - scrape->sent;
    const size_t taken = left < size ? left : size;

    memcpy(buffer, scrape->piece + scrape->sent, taken);
    scrape->sent += taken;
    return (ssize_t)taken;
}

struct MHD_Response *bough_scrape_new(const struct bough_figures_source *source)
{
    struct bough_figures *figures = bough_figures_new(source);
    struct scrape *scrape = figures != NULL ? calloc(1, sizeof(*scrape)) : NULL;
    struct MHD_Response *response;

    if (scrape == NULL) {
        bough_figures_free(figures);
        return NULL;
    }
    scrape->metrics = bough_metrics_new(figures);
    response = scrape->metrics == NULL
                   ? NULL
                   : bough_http.MHD_create_response_from_callback(
                         MHD_SIZE_UNKNOWN, BLOCK, read_scrape, scrape, scrape_free);
    if (response == NULL) {
        scrape_free(scrape);
        return NULL;
    }
    (void)bough_http.MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                             BOUGH_METRICS_TYPE);
    return response;
}
