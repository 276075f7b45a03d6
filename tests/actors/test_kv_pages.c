/* test_kv_pages.c - pages are split and merged one at a time, and stay intervals.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_pages_internal.h>

#include <stdlib.h>

#include <bough/tests/support/unit.h>

enum { CELLS = 50000 };

_Static_assert((int)CELLS <= (int)BOUGH_KV_REST_MAX, "a cell says which it is");

/* Pages, and the hashes that have a cell. */
struct world {
    struct bough_kv_pages pages;
    uint64_t hashes[CELLS];
    size_t added;
};

static bool try_add(struct world *world, size_t room)
{
    const uint64_t hash = world->hashes[world->added];
    struct bough_kv_cell *cell = bough_kv_pages_add(&world->pages, hash, room);

    if (cell == NULL) return false;
    assert_true(cell->head == hash);
    cell->head |= world->added++;
    return true;
}

static void fill(struct world *world, size_t count)
{
    while (world->added < count) {
        assert_true(try_add(world, SIZE_MAX));
    }
}

/* The cell that was added as the `nth`. */
static struct bough_kv_cell *cell_of(struct world *world, size_t nth)
{
    const struct bough_kv_page *page =
        bough_kv_pages_at(&world->pages, world->hashes[nth]);
    for (; page; page = page->next) {
        for (uint64_t left = bough_kv_used(page); left != 0;) {
            const struct bough_kv_cell *cell = &page->cells[bough_kv_pop(&left)];
            if (cell->head == (world->hashes[nth] | nth)) {
                return (struct bough_kv_cell *)(uintptr_t)cell;
            }
        }
    }
    fail_msg("cell %zu is lost", nth);
    return NULL;
}

static void remove_last(struct world *world)
{
    world->added--;
    bough_kv_pages_remove(&world->pages, cell_of(world, world->added));
}

static uint64_t random_bits(uint64_t *seed)
{
    return (uint64_t)bough_test_random(seed, UINT32_MAX) << 32 |
           bough_test_random(seed, UINT32_MAX);
}

static int setup(void **state)
{
    uint64_t seed = bough_test_seed();
    struct world *world = calloc(1, sizeof(*world));

    if (!world || bough_kv_pages_init(&world->pages) != BOUGH_OK) return -1;
    for (size_t i = 0; i < CELLS; i++) {
        world->hashes[i] = random_bits(&seed) & BOUGH_KV_HASH_BITS;
    }
    *state = world;
    return 0;
}

static int setup_same_hash(void **state)
{
    if (setup(state) != 0) return -1;
    struct world *world = *state;
    for (size_t i = 0; i < CELLS; i++) {
        world->hashes[i] = BOUGH_KV_HASH_BITS;
    }
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    bough_kv_pages_finish(&world->pages);
    free(world);
    return 0;
}

/* Walks all intervals: each page is met once, and has its own cells only. */
static void check_order(const struct world *world)
{
    uint64_t position = 0;
    size_t pages = 0, cells = 0;

    do {
        const uint64_t next = bough_kv_pages_next(&world->pages, position);
        const struct bough_kv_page *page = bough_kv_pages_at(&world->pages, position);
        for (; page; page = page->next, pages++) {
            unsigned used = 0;
            for (uint64_t left = bough_kv_used(page); left != 0; used++) {
                const struct bough_kv_cell *cell = &page->cells[bough_kv_pop(&left)];
                const uint64_t hash = bough_kv_cell_hash(cell);
                assert_true(hash >= position && hash <= next - 1);
            }
            assert_int_equal(used, page->used);
            cells += used;
        }
        position = next;
    } while (position != 0);
    assert_int_equal(pages, world->pages.count);
    assert_int_equal(cells, world->added);
}

static void assert_tagged(const struct bough_kv_page *page, unsigned char tag,
                          uint64_t cells)
{
    assert_true(bough_kv_tagged(page, tag) == cells);
    assert_true(bough_kv_tagged_portably(page, tag) == cells);
}

static void a_tag_is_found_in_every_cell(void **state)
{
    static struct bough_kv_page page;
    uint64_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < BOUGH_KV_PAGE_CELLS; i++) {
        memset(page.tags, 0x81, sizeof(page.tags));
        page.tags[i] = 0x80;
        assert_tagged(&page, 0x80, UINT64_C(1) << i);
        assert_tagged(&page, 0x81, ~(UINT64_C(1) << i));
        assert_tagged(&page, 0, 0);
        page.tags[i] = 0;
        assert_true(bough_kv_used(&page) == ~(UINT64_C(1) << i));
    }
    for (int round = 0; round < 1000; round++) {
        uint64_t cells = 0;

        for (unsigned i = 0; i < BOUGH_KV_PAGE_CELLS; i++) {
            page.tags[i] = (unsigned char)bough_test_random(&seed, 256) & 0x83;
            if (page.tags[i] == 0x82) cells |= UINT64_C(1) << i;
        }
        assert_tagged(&page, 0x82, cells);
    }
}

static void cells_are_looked_at_from_home_on(void **state)
{
    (void)state;
    for (unsigned home = 0; home < BOUGH_KV_PAGE_CELLS; home++) {
        uint64_t cells = ~UINT64_C(0);

        for (unsigned i = 0; i < BOUGH_KV_PAGE_CELLS; i++) {
            const unsigned first = bough_kv_first_from(cells, home);
            assert_int_equal(first, (home + i) % BOUGH_KV_PAGE_CELLS);
            cells &= ~(UINT64_C(1) << first);
        }
        assert_true(cells == 0);
    }
}

static void pages_stay_intervals_while_they_are_split_and_merged(void **state)
{
    struct world *world = *state;

    check_order(world);
    for (size_t count = 0; count < CELLS; count += 1997) {
        fill(world, count);
        check_order(world);
    }
    while (world->added > 0) {
        remove_last(world);
        if (world->added % 1499 == 0) check_order(world);
    }
    check_order(world);
}

static void pages_are_two_thirds_full(void **state)
{
    struct world *world = *state;

    fill(world, CELLS);
    assert_in_range(world->pages.count, CELLS / 50, CELLS / 36);
    assert_in_range(world->pages.memory, world->pages.count * BOUGH_KV_PAGE_SIZE,
                    world->pages.count * (BOUGH_KV_PAGE_SIZE + 256));
}

static void one_call_splits_one_page(void **state)
{
    struct world *world = *state;

    while (world->added < CELLS) {
        const uint64_t resizes = world->pages.resizes, moves = world->pages.moves;
        fill(world, world->added + 1);
        assert_in_range(world->pages.resizes - resizes, 0, 1);
        assert_in_range(world->pages.moves - moves, 0, BOUGH_KV_PAGE_CELLS);
    }
}

static void merging_keeps_pace_with_removals(void **state)
{
    struct world *world = *state;

    fill(world, CELLS);
    while (world->added > 0) {
        const uint64_t moves = world->pages.moves;
        remove_last(world);
        assert_in_range(world->pages.moves - moves, 0, 2 * BOUGH_KV_MERGE_AT);
        /* Neighbours of different depths may stay, each nearly empty. */
        assert_in_range(world->pages.count, 1, world->added / 8 + 24);
    }
}

static void memory_is_given_back(void **state)
{
    struct world *world = *state;
    const size_t before = world->pages.memory;

    fill(world, CELLS);
    while (world->added > 0) {
        remove_last(world);
    }
    assert_int_equal(world->pages.memory, before);
    assert_int_equal(world->pages.count, 1);
}

static void adding_takes_what_it_needs_and_no_more_than_its_room(void **state)
{
    struct world *world = *state;

    while (world->added < CELLS) {
        const uint64_t hash = world->hashes[world->added];
        const size_t before = world->pages.memory;
        const size_t need = bough_kv_pages_need(&world->pages, hash);
        if (need > 0) {
            assert_false(try_add(world, need - 1));
            assert_int_equal(world->pages.memory, before);
        }
        assert_true(try_add(world, need));
        assert_int_equal(world->pages.memory, before + need);
    }
    check_order(world);
}

static void cells_of_one_hash_are_chained(void **state)
{
    enum { SAME = 1000, DEPTHS = 16 };
    struct world *world = *state;
    const size_t before = world->pages.memory;

    fill(world, SAME);
    check_order(world);
    assert_in_range(world->pages.count, SAME / BOUGH_KV_PAGE_CELLS,
                    SAME / BOUGH_KV_PAGE_CELLS + 1 + DEPTHS);
    while (world->added > 0) {
        remove_last(world);
    }
    assert_int_equal(world->pages.memory, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_found_in_every_cell),
        cmocka_unit_test(cells_are_looked_at_from_home_on),
        cmocka_unit_test_setup_teardown(
            pages_stay_intervals_while_they_are_split_and_merged, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_are_two_thirds_full, setup, teardown),
        cmocka_unit_test_setup_teardown(one_call_splits_one_page, setup, teardown),
        cmocka_unit_test_setup_teardown(merging_keeps_pace_with_removals, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(memory_is_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(
            adding_takes_what_it_needs_and_no_more_than_its_room, setup, teardown),
        cmocka_unit_test_setup_teardown(cells_of_one_hash_are_chained, setup_same_hash,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
