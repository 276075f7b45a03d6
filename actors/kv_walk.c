/* kv_walk.c - visiting the keys of a table, interval by interval.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_walk_internal.h>

#include <string.h>

#include <bough/actors/kv_cell_internal.h>

struct walk {
    const struct bough_kv_page_request *page;
    int64_t now_ms;
    size_t keys, bytes, steps;
};

static bool is_used_up(const struct walk *walk)
{
    return walk->keys >= walk->page->max_keys || walk->bytes >= walk->page->max_bytes ||
           walk->steps >= walk->page->max_steps;
}

static void visit_cell(struct walk *walk, const struct bough_kv_cell *cell)
{
    const struct bough_kv_page_request *page = walk->page;
    const char *key = bough_kv_cell_bytes(cell);
    const size_t key_len = bough_kv_cell_key_len(cell);

    walk->steps++;
    if (bough_kv_cell_is_expired(cell, walk->now_ms) || key_len < page->prefix_len)
        return;
    if (memcmp(key, page->prefix, page->prefix_len) != 0) return;
    walk->keys++;
    walk->bytes += key_len;
    page->visit(page->data, key, key_len);
}

/* The least hash from `*hash` on that a cell has. False when there is none. */
static bool least_hash(const struct bough_kv_page *page, uint64_t *hash)
{
    uint64_t least = UINT64_MAX;
    bool found = false;

    for (; page; page = page->next) {
        for (uint64_t left = bough_kv_used(page); left != 0;) {
            const struct bough_kv_cell *cell = &page->cells[bough_kv_pop(&left)];
            const uint64_t its = bough_kv_cell_hash(cell);
            if (its < *hash || its > least) continue;
            least = its;
            found = true;
        }
    }
    if (found) *hash = least;
    return found;
}

static void visit_hash(struct walk *walk, const struct bough_kv_page *page, uint64_t hash)
{
    for (; page; page = page->next) {
        for (uint64_t left = bough_kv_used(page); left != 0;) {
            const struct bough_kv_cell *cell = &page->cells[bough_kv_pop(&left)];
            if (bough_kv_cell_hash(cell) == hash) visit_cell(walk, cell);
        }
    }
}

/* A chain's cells, which have hardly more than one hash: so they are not sorted, but
 * looked through for each. */
static bool visit_chain(struct walk *walk, const struct bough_kv_page *page,
                        uint64_t *position)
{
    const uint64_t begin = *position;
    uint64_t hash = begin;

    while (least_hash(page, &hash)) {
        if (hash != begin && is_used_up(walk)) {
            *position = hash;
            return false;
        }
        visit_hash(walk, page, hash);
        if (hash++ == UINT64_MAX) break;
    }
    return true;
}

/* A page's cells from that hash on, in the order of their hashes. Returns how many. */
static size_t sort_cells(const struct bough_kv_page *page, uint64_t hash,
                         const struct bough_kv_cell *sorted[BOUGH_KV_PAGE_CELLS])
{
    size_t count = 0;

    for (uint64_t left = bough_kv_used(page); left != 0;) {
        const struct bough_kv_cell *cell = &page->cells[bough_kv_pop(&left)];
        if (cell->head < hash) continue;
        size_t at = count++;
        for (; at > 0 && sorted[at - 1]->head > cell->head; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = cell;
    }
    return count;
}

/* Visits an interval's cells from `*position` on, in the order of their hashes. False,
 * and `*position` moved to the first cell that is left, when the page was full before the
 * interval's end. */
static bool visit_interval(struct walk *walk, const struct bough_kv_page *page,
                           uint64_t *position)
{
    const struct bough_kv_cell *cells[BOUGH_KV_PAGE_CELLS];
    uint64_t last = *position;

    if (page->next) return visit_chain(walk, page, position);

    const size_t count = sort_cells(page, *position, cells);
    for (size_t i = 0; i < count; i++) {
        const uint64_t hash = bough_kv_cell_hash(cells[i]);
        if (hash != last && is_used_up(walk)) {
            *position = hash;
            return false;
        }
        last = hash;
        visit_cell(walk, cells[i]);
    }
    return true;
}

bool bough_kv_walk(const struct bough_kv_pages *pages,
                   const struct bough_kv_page_request *request, int64_t now_ms,
                   uint64_t *position)
{
    struct walk walk = { .page = request, .now_ms = now_ms };

    do {
        const struct bough_kv_page *page = bough_kv_pages_at(pages, *position);
        walk.steps++;
        if (!visit_interval(&walk, page, position)) return false;
        *position = bough_kv_pages_next(pages, *position);
        if (*position == 0) return true;
    } while (!is_used_up(&walk));
    return false;
}
