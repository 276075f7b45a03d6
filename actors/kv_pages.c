/* kv_pages.c - extendible hashing: finding a place, splitting, merging.
 *
 * In a page a cell lies at its home or else in the next one that was free. A search asks
 * all tags, which are one cache line, and looks at the cells that have the right one in
 * that order.
 *
 * Pages are blocks of an arena and move when another one is released: mend() leads the
 * directory to where a page is now.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_pages_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>

enum {
    PART_BITS = 8,
    /* How many bits deeper than the average a page may be: so that cells which no bit
     * tells apart do not make the directory grow without end. By chance it is 3. */
    DEPTH_SLACK = 8,
    DEPTH_MAX = 48
};

_Static_assert(1 << PART_BITS == BOUGH_KV_PARTS, "the first bits choose the part");
_Static_assert(sizeof(struct bough_kv_cell) == sizeof(uint64_t) + BOUGH_KV_CELL_BYTES,
               "a cell has no gaps");
_Static_assert(BOUGH_KV_PAGE_CELLS == 64, "each cell is a bit of a set");
_Static_assert(sizeof(struct bough_kv_page) == BOUGH_KV_PAGE_SIZE, "a page is a page");
_Static_assert((int)BOUGH_KV_PAGE_SIZE == (int)BOUGH_KV_ARENA_LARGEST,
               "a page fills a block");

/* The directory */

static uint64_t interval_of(unsigned depth)
{
    return depth == 0 ? 0 : UINT64_C(1) << (64 - depth);
}

static size_t slot_of(const struct bough_kv_part *part, uint64_t hash)
{
    return hash << PART_BITS >> 1 >> (63 - part->depth);
}

static struct bough_kv_part *part_of(struct bough_kv_pages *pages, uint64_t hash)
{
    return &pages->parts[hash >> (64 - PART_BITS)];
}

static size_t directory_size(unsigned depth)
{
    return depth == 0 ? 0 : sizeof(struct bough_kv_page *) << depth;
}

/* Leads to the page from wherever its hashes lead. */
static void enter(struct bough_kv_pages *pages, struct bough_kv_page *page)
{
    if (page->depth < PART_BITS) {
        const size_t count = BOUGH_KV_PARTS >> page->depth;
        for (size_t i = 0; i < count; i++) {
            part_of(pages, page->first)[i].slots[0] = page;
        }
        return;
    }
    struct bough_kv_part *part = part_of(pages, page->first);
    const size_t count = (size_t)1 << (part->depth - (page->depth - PART_BITS));
    for (size_t i = 0; i < count; i++) {
        part->slots[slot_of(part, page->first) + i] = page;
    }
}

static bool is_deepest(const struct bough_kv_part *part, const struct bough_kv_page *page)
{
    return part->depth > 0 && page->depth == part->depth + PART_BITS;
}

/* Gives the part twice as many slots; false when memory is out. */
static bool deepen(struct bough_kv_pages *pages, struct bough_kv_part *part)
{
    const size_t count = (size_t)1 << part->depth;
    struct bough_kv_page **slots = malloc(directory_size(part->depth + 1));

    if (slots == NULL) return false;
    for (size_t i = 0; i < count; i++) {
        slots[2 * i] = slots[2 * i + 1] = part->slots[i];
    }
    if (part->depth > 0) free(part->slots);
    pages->memory += directory_size(part->depth + 1) - directory_size(part->depth);
    part->slots = slots;
    part->depth++;
    part->deepest = 0;
    return true;
}

/* Gives back the slots that are not needed: half of them, as often as that goes. */
static void flatten(struct bough_kv_pages *pages, struct bough_kv_part *part)
{
    while (part->depth > 0 && part->deepest == 0) {
        const size_t count = (size_t)1 << (part->depth - 1);
        for (size_t i = 0; i < count; i++) {
            part->slots[i] = part->slots[2 * i];
        }
        pages->memory -= directory_size(part->depth) - directory_size(part->depth - 1);
        part->depth--;
        if (part->depth == 0) {
            part->one = part->slots[0];
            free(part->slots);
            part->slots = &part->one;
            return;
        }
        for (size_t i = 0; i < count; i++) {
            part->deepest += is_deepest(part, part->slots[i]);
        }
        struct bough_kv_page **slots = realloc(part->slots, directory_size(part->depth));
        if (slots != NULL) part->slots = slots;
    }
}

/* Pages */

static struct bough_kv_page *new_page(struct bough_kv_pages *pages, uint64_t first,
                                      unsigned depth)
{
    struct bough_kv_page *page = bough_kv_arena_take(&pages->arena, sizeof(*page));

    if (page == NULL) return NULL;
    memset(page, 0, offsetof(struct bough_kv_page, cells));
    page->first = first;
    page->depth = depth;
    pages->count++;
    pages->memory += sizeof(*page);
    return page;
}

/* A page that lay at `from` has moved to `page`. */
static void mend(struct bough_kv_pages *pages, struct bough_kv_page *page,
                 const struct bough_kv_page *from)
{
    struct bough_kv_page *head = bough_kv_pages_at(pages, page->first);

    if (head == from) {
        enter(pages, page);
        return;
    }
    while (head->next != from) {
        head = head->next;
    }
    head->next = page;
}

/* Releases a page that nothing leads to. No pointer to a page is good after it. */
static void free_page(struct bough_kv_pages *pages, struct bough_kv_page *page)
{
    const struct bough_kv_page *from =
        bough_kv_arena_give(&pages->arena, page, sizeof(*page));

    pages->count--;
    pages->memory -= sizeof(*page);
    if (from) mend(pages, page, from);
}

/* The index of an empty cell as near to home as there is one; the page is not full. */
static unsigned free_index(const struct bough_kv_page *page, unsigned home)
{
    bough_assert(page->used < BOUGH_KV_PAGE_CELLS);
    return bough_kv_first_from(bough_kv_tagged(page, 0), home);
}

static struct bough_kv_cell *take_cell(struct bough_kv_page *page, uint64_t hash)
{
    const unsigned index = free_index(page, bough_kv_home(hash));

    page->tags[index] = bough_kv_tag(hash);
    page->used++;
    page->cells[index].head = hash;
    return &page->cells[index];
}

static void drop_cell(struct bough_kv_page *page, const struct bough_kv_cell *cell)
{
    page->tags[cell - page->cells] = 0;
    page->used--;
}

/* Moves the cells of `from` that belong to `to`. */
static void move_cells(struct bough_kv_pages *pages, struct bough_kv_page *from,
                       struct bough_kv_page *to)
{
    for (uint64_t left = bough_kv_used(from); left != 0;) {
        const struct bough_kv_cell *cell = &from->cells[bough_kv_pop(&left)];
        const uint64_t hash = bough_kv_cell_hash(cell);
        if (bough_kv_pages_at(pages, hash) != to) continue;
        *take_cell(to, hash) = *cell;
        drop_cell(from, cell);
        pages->moves++;
    }
}

/* Splitting */

static unsigned deepest_allowed(const struct bough_kv_pages *pages)
{
    const unsigned average = 63 - (unsigned)__builtin_clzll(pages->count);

    return average + DEPTH_SLACK < DEPTH_MAX ? average + DEPTH_SLACK : DEPTH_MAX;
}

static bool may_split(const struct bough_kv_pages *pages,
                      const struct bough_kv_page *page)
{
    return page->next == NULL && page->depth < deepest_allowed(pages);
}

/* Whether the part has no slot yet for half of the page. */
static bool splits_slot(const struct bough_kv_part *part,
                        const struct bough_kv_page *page)
{
    return page->depth == part->depth + PART_BITS;
}

static size_t split_size(const struct bough_kv_pages *pages,
                         const struct bough_kv_page *page)
{
    const struct bough_kv_part *part = &pages->parts[page->first >> (64 - PART_BITS)];
    const unsigned depth = part->depth;

    if (!splits_slot(part, page)) return sizeof(*page);
    return sizeof(*page) + directory_size(depth + 1) - directory_size(depth);
}

/* Halves the page's interval; the second half is a new page's. False when memory is out.
 */
static bool split(struct bough_kv_pages *pages, struct bough_kv_page *page)
{
    struct bough_kv_part *part = part_of(pages, page->first);
    const uint64_t second = page->first + interval_of(page->depth + 1);

    if (splits_slot(part, page) && !deepen(pages, part)) return false;
    struct bough_kv_page *sibling = new_page(pages, second, page->depth + 1);
    if (sibling == NULL) {
        flatten(pages, part);
        return false;
    }
    page->depth++;
    if (is_deepest(part, page)) part->deepest += 2;
    enter(pages, sibling);
    move_cells(pages, page, sibling);
    pages->resizes++;
    return true;
}

/* Merging */

static bool may_merge(const struct bough_kv_page *page,
                      const struct bough_kv_page *sibling)
{
    return page->depth == sibling->depth && page->next == NULL && sibling->next == NULL &&
           page->used + sibling->used <= BOUGH_KV_MERGE_AT;
}

/* Merges the page of that hash with the other half of their interval, if it can be. */
static bool merge(struct bough_kv_pages *pages, uint64_t hash)
{
    struct bough_kv_page *page = bough_kv_pages_at(pages, hash);
    const uint64_t interval = interval_of(page->depth);

    if (page->depth == 0 || page->used > BOUGH_KV_MERGE_AT) return false;
    struct bough_kv_page *sibling = bough_kv_pages_at(pages, page->first ^ interval);
    if (!may_merge(page, sibling)) return false;

    struct bough_kv_part *part = part_of(pages, page->first);
    const bool were_deepest = is_deepest(part, page);
    page->first &= ~interval;
    page->depth--;
    enter(pages, page);
    move_cells(pages, sibling, page);
    if (were_deepest) {
        part->deepest -= 2;
        flatten(pages, part);
    }
    pages->resizes++;
    free_page(pages, sibling);
    return true;
}

/* Takes an empty page out of the chain. */
static void unchain(struct bough_kv_pages *pages, struct bough_kv_page *head,
                    struct bough_kv_page *page)
{
    while (head->next != page) {
        head = head->next;
    }
    head->next = page->next;
    free_page(pages, page);
}

/* The pages */

enum bough_status bough_kv_pages_init(struct bough_kv_pages *pages)
{
    memset(pages, 0, sizeof(*pages));
    bough_kv_arena_init(&pages->arena);
    for (size_t i = 0; i < BOUGH_KV_PARTS; i++) {
        pages->parts[i].slots = &pages->parts[i].one;
    }
    struct bough_kv_page *page = new_page(pages, 0, 0);
    if (page == NULL) return BOUGH_ENOMEM;
    enter(pages, page);
    return BOUGH_OK;
}

void bough_kv_pages_finish(struct bough_kv_pages *pages)
{
    for (size_t i = 0; i < BOUGH_KV_PARTS; i++) {
        if (pages->parts[i].depth > 0) free(pages->parts[i].slots);
    }
    bough_kv_arena_finish(&pages->arena);
}

/* The first page of the chain that is not full, or the last one. */
static struct bough_kv_page *free_in_chain(struct bough_kv_page *page)
{
    while (page->used == BOUGH_KV_PAGE_CELLS && page->next) {
        page = page->next;
    }
    return page;
}

size_t bough_kv_pages_need(const struct bough_kv_pages *pages, uint64_t hash)
{
    struct bough_kv_page *page = bough_kv_pages_at(pages, hash);

    if (free_in_chain(page)->used < BOUGH_KV_PAGE_CELLS) return 0;
    return may_split(pages, page) ? split_size(pages, page) : sizeof(*page);
}

/* Makes room at that hash, where all is full: by a split, or else by one more page. */
static bool add_page(struct bough_kv_pages *pages, uint64_t hash)
{
    struct bough_kv_page *page = bough_kv_pages_at(pages, hash);

    if (may_split(pages, page)) return split(pages, page);
    page = free_in_chain(page);
    page->next = new_page(pages, page->first, page->depth);
    return page->next != NULL;
}

/* Hardly ever goes round twice: when a split leaves all cells on one side. */
struct bough_kv_cell *bough_kv_pages_add(struct bough_kv_pages *pages, uint64_t hash,
                                         size_t room)
{
    const size_t before = pages->memory;

    for (;;) {
        struct bough_kv_page *page = free_in_chain(bough_kv_pages_at(pages, hash));
        if (page->used < BOUGH_KV_PAGE_CELLS) return take_cell(page, hash);
        const size_t left = room - (pages->memory - before);
        if (bough_kv_pages_need(pages, hash) > left) return NULL;
        if (!add_page(pages, hash)) return NULL;
    }
}

void bough_kv_pages_remove(struct bough_kv_pages *pages, struct bough_kv_cell *cell)
{
    const uint64_t hash = bough_kv_cell_hash(cell);
    struct bough_kv_page *head = bough_kv_pages_at(pages, hash);
    struct bough_kv_page *page = head;

    while (cell < page->cells || cell >= page->cells + BOUGH_KV_PAGE_CELLS) {
        page = page->next;
    }
    drop_cell(page, cell);
    if (page->used == 0 && page != head) {
        unchain(pages, head, page);
        return;
    }
    while (merge(pages, hash)) {
        continue;
    }
}

uint64_t bough_kv_pages_next(const struct bough_kv_pages *pages, uint64_t hash)
{
    const struct bough_kv_page *page = bough_kv_pages_at(pages, hash);

    return page->first + interval_of(page->depth);
}
