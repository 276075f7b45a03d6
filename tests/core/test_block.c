/* test_block.c - flat blocks: what is made can be read; what was tampered with is
 * refused.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/field.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <bough/tests/support/allocator.h>
#include <bough/tests/support/unit.h>

static const char *const colours[] = { "red", "green", NULL };

struct item {
    struct bough_span name, tags;
    int64_t weight;
};

static const struct bough_field tag_fields[] = {
    { .kind = BOUGH_TEXT, .size = sizeof(struct bough_span) },
};

static const struct bough_field item_fields[] = {
    bough_field(struct item, name, "name", BOUGH_TEXT),
    bough_field(struct item, tags, "tags", BOUGH_LIST, .of = tag_fields, .of_count = 1,
                .of_size = sizeof(struct bough_span)),
    bough_field(struct item, weight, "weight", BOUGH_INT64),
};

struct order {
    int64_t number;
    int colour;
    bool urgent;
    struct bough_span title, photo, notes, items;
};

static const struct bough_field fields[] = {
    bough_field(struct order, number, "number", BOUGH_INT64),
    bough_field(struct order, colour, "colour", BOUGH_CHOICE, .choices = colours),
    bough_field(struct order, urgent, "urgent", BOUGH_BOOL),
    bough_field(struct order, title, "title", BOUGH_TEXT),
    bough_field(struct order, photo, "photo", BOUGH_BYTES),
    bough_field(struct order, notes, "notes", BOUGH_PAIRS),
    bough_field(struct order, items, "items", BOUGH_LIST, .of = item_fields,
                .of_count = 3, .of_size = sizeof(struct item)),
};

static bool valid(const void *block, size_t size)
{
    return bough_block_valid(fields, bough_count_of(fields), block, sizeof(struct order),
                             size);
}

static void add_item(struct bough_block *block, size_t at, const char *name)
{
    bough_block_text(block, at + offsetof(struct item, name), name);
    const size_t tag = bough_block_list(block, at + offsetof(struct item, tags), 2,
                                        sizeof(struct bough_span));
    bough_block_text(block, tag, "new");
    bough_block_text(block, tag + sizeof(struct bough_span), "sweet");
}

/* An order with everything in it. */
static void make(struct bough_block *block, void *buffer, size_t buffer_size)
{
    const struct order order = { .number = 7, .colour = 1, .urgent = true };

    bough_block_init(block, buffer, buffer_size, &order, sizeof(order));
    bough_block_text(block, offsetof(struct order, title), "\xe2\x82\xac 5");
    bough_block_bytes(block, offsetof(struct order, photo), "\xff\0\x01", 3);
    bough_block_bytes(block, offsetof(struct order, notes), "a\0001\0", 4);
    const size_t first =
        bough_block_list(block, offsetof(struct order, items), 2, sizeof(struct item));
    add_item(block, first, "pear");
    add_item(block, first + sizeof(struct item), "");
}

static void a_block_can_be_read_as_it_was_made(void **state)
{
    struct bough_block block;

    (void)state;
    make(&block, NULL, 0);
    assert_status(block.status, BOUGH_OK);
    assert_true(valid(block.data, block.size));
    const struct order *order = (const struct order *)(void *)block.data;
    assert_int_equal(order->number, 7);
    assert_string_equal(bough_span_text(order, order->title), "\xe2\x82\xac 5");
    assert_memory_equal(bough_span_data(order, order->photo), "\xff\0\x01", 4);
    assert_int_equal(order->items.len, 2);
    const struct item *items = bough_span_data(order, order->items);
    const struct bough_span *tags = bough_span_data(order, items[1].tags);
    assert_string_equal(bough_span_text(order, items[0].name), "pear");
    assert_string_equal(bough_span_text(order, items[1].name), "");
    assert_string_equal(bough_span_text(order, tags[1]), "sweet");
    bough_block_finish(&block);
}

static void a_small_block_allocates_nothing(void **state)
{
    alignas(max_align_t) char buffer[512];
    struct bough_block block;

    (void)state;
    const size_t before = bough_allocator_count();
    make(&block, buffer, sizeof(buffer));
    assert_int_equal(bough_allocator_count(), before);
    assert_ptr_equal(block.data, buffer);
    bough_block_finish(&block);
}

static void a_block_moves_to_the_heap_at_any_point(void **state)
{
    alignas(max_align_t) char buffer[512];
    struct bough_block expected, block;

    (void)state;
    make(&expected, NULL, 0);
    for (size_t size = 0; size < expected.size + 8; size++) {
        make(&block, buffer, size);
        assert_status(block.status, BOUGH_OK);
        assert_int_equal(block.size, expected.size);
        assert_memory_equal(block.data, expected.data, block.size);
        bough_block_finish(&block);
    }
    bough_block_finish(&expected);
}

static void the_first_error_stands(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        struct bough_block block;
        bough_allocator_fail_at(nth);
        make(&block, NULL, 0);
        const bool failed = bough_allocator_heal();
        assert_status(block.status, failed ? BOUGH_ENOMEM : BOUGH_OK);
        if (failed) assert_null(bough_block_at(&block, 0));
        bough_block_finish(&block);
        if (!failed) break;
    }
}

static void a_block_has_a_largest_size(void **state)
{
    const struct order order = { .number = 1 };
    struct bough_block block;

    (void)state;
    bough_block_init(&block, NULL, 0, &order, sizeof(order));
    bough_block_bytes(&block, offsetof(struct order, photo), &order, BOUGH_BLOCK_MAX);
    assert_status(block.status, BOUGH_ETOOLARGE);
    assert_int_equal(bough_block_list(&block, offsetof(struct order, items), 1, 1), 0);
    bough_block_finish(&block);
}

static void a_list_whose_size_overflows_is_too_large(void **state)
{
    const struct order order = { .number = 1 };
    const size_t counts[] = { SIZE_MAX, SIZE_MAX / 2, BOUGH_BLOCK_MAX / 24 };

    (void)state;
    for (size_t i = 0; i < bough_count_of(counts); i++) {
        struct bough_block block;
        bough_block_init(&block, NULL, 0, &order, sizeof(order));
        assert_int_equal(
            bough_block_list(&block, offsetof(struct order, items), counts[i], 24), 0);
        assert_status(block.status, BOUGH_ETOOLARGE);
        bough_block_finish(&block);
    }
}

static void a_list_is_zeroed_and_aligned(void **state)
{
    const struct order order = { .number = 1 };
    alignas(max_align_t) char buffer[512];
    struct bough_block block;

    (void)state;
    memset(buffer, 0xff, sizeof(buffer));
    bough_block_init(&block, buffer, sizeof(buffer), &order, sizeof(order));
    bough_block_text(&block, offsetof(struct order, title), "12");
    const size_t end = block.size;
    const size_t at = bough_block_list(&block, offsetof(struct order, items), 3, 24);
    static const char zeroes[80];
    assert_int_equal(at % 8, 0);
    assert_int_equal(block.size, at + 72);
    assert_memory_equal(buffer + end, zeroes, block.size - end);
    assert_ptr_equal(bough_block_at(&block, at), buffer + at);
    bough_block_finish(&block);
}

static void a_span_outside_the_block(void *data)
{
    const struct order order = { .number = 1 };
    struct bough_block block;

    (void)data;
    bough_block_init(&block, NULL, 0, &order, sizeof(order));
    bough_block_text(&block, sizeof(order) - 4, "x");
}

static void a_member_outside_the_block_is_a_bug(void **state)
{
    (void)state;
    assert_true(bough_test_aborts(a_span_outside_the_block, NULL));
}

static void finishing_twice_is_fine(void **state)
{
    struct bough_block block;

    (void)state;
    make(&block, NULL, 0);
    bough_block_finish(&block);
    bough_block_finish(&block);
    assert_null(block.data);
}

/* Tampering. Each test has a good block to spoil, of exactly its size on the heap, so
 * that reading a byte too far is seen by the sanitizer and by valgrind. */

struct victim {
    struct order *order;
    size_t size;
};

static struct victim victim_new(void)
{
    struct bough_block block;

    make(&block, NULL, 0);
    struct victim victim = { malloc(block.size), block.size };
    assert_non_null(victim.order);
    memcpy(victim.order, block.data, block.size);
    bough_block_finish(&block);
    assert_true(valid(victim.order, victim.size));
    return victim;
}

static struct item *victim_items(struct victim victim)
{
    return (struct item *)(void *)((char *)victim.order + victim.order->items.offset);
}

static bool victim_valid(struct victim victim)
{
    return valid(victim.order, victim.size);
}

static void a_block_that_was_cut_is_invalid(void **state)
{
    struct victim victim = victim_new();

    (void)state;
    for (size_t size = 0; size < victim.size; size++) {
        void *cut = malloc(size > 0 ? size : 1);
        assert_non_null(cut);
        memcpy(cut, victim.order, size);
        assert_false(valid(cut, size));
        free(cut);
    }
    free(victim.order);
}

/* Spans that must be refused, wherever they stand. */
static void assert_bad_spans_refused(struct victim victim, struct bough_span *span)
{
    const uint32_t size = (uint32_t)victim.size;
    const struct bough_span bad[] = {
        { size, 0xffffffff },
        { size + 8, 0 },
        { 0xfffffff8, 0 },
        { 0xfffffff8, 16 },
        { 0xffffffff, 1 },
        { span->offset, size },
        { 0, 1 },
        { span->offset, 1u << 31 },
        { span->offset, 0xffffffff },
        { 8, 1 },
    };
    const struct bough_span good = *span;

    for (size_t i = 0; i < bough_count_of(bad); i++) {
        *span = bad[i];
        if (victim_valid(victim)) fail_msg("span %zu was accepted", i);
    }
    *span = good;
    assert_true(victim_valid(victim));
}

static void spans_that_point_outside_are_invalid(void **state)
{
    struct victim victim = victim_new();

    (void)state;
    assert_bad_spans_refused(victim, &victim.order->title);
    assert_bad_spans_refused(victim, &victim.order->photo);
    assert_bad_spans_refused(victim, &victim.order->notes);
    assert_bad_spans_refused(victim, &victim.order->items);
    assert_bad_spans_refused(victim, &victim_items(victim)[1].name);
    assert_bad_spans_refused(victim, &victim_items(victim)[1].tags);
    free(victim.order);
}

static void a_part_that_was_not_given_is_valid(void **state)
{
    struct victim victim = victim_new();

    (void)state;
    victim.order->title = (struct bough_span){ 0 };
    victim.order->photo = (struct bough_span){ 0 };
    victim.order->notes = (struct bough_span){ 0 };
    victim.order->items = (struct bough_span){ 0 };
    assert_true(victim_valid(victim));
    assert_string_equal(bough_span_text(victim.order, victim.order->title), "");
    free(victim.order);
}

static void a_text_must_end_and_be_utf8(void **state)
{
    struct victim victim = victim_new();
    char *text = (char *)victim.order + victim.order->title.offset;

    (void)state;
    text[5] = 'x';
    assert_false(victim_valid(victim));
    text[5] = '\0';
    text[4] = '\0';
    assert_false(victim_valid(victim));
    text[4] = '\xff';
    assert_false(victim_valid(victim));
    text[4] = '5';
    assert_true(victim_valid(victim));
    free(victim.order);
}

static void pairs_must_be_pairs(void **state)
{
    struct victim victim = victim_new();
    char *pairs = (char *)victim.order + victim.order->notes.offset;

    (void)state;
    pairs[1] = 'b';
    assert_false(victim_valid(victim));
    memcpy(pairs, "a\0\0b", 4);
    assert_false(victim_valid(victim));
    memcpy(pairs, "a\0\0", 4);
    assert_false(victim_valid(victim));
    memcpy(pairs, "\xff\0b", 4);
    assert_false(victim_valid(victim));
    memcpy(pairs, "a\0b", 4);
    assert_true(victim_valid(victim));
    free(victim.order);
}

static void choices_and_bools_must_be_in_range(void **state)
{
    struct victim victim = victim_new();
    const unsigned char two = 2;

    (void)state;
    victim.order->colour = 2;
    assert_false(victim_valid(victim));
    victim.order->colour = -1;
    assert_false(victim_valid(victim));
    victim.order->colour = 0;
    assert_true(victim_valid(victim));
    memcpy(&victim.order->urgent, &two, 1);
    assert_false(victim_valid(victim));
    free(victim.order);
}

static void a_list_must_be_aligned(void **state)
{
    struct victim victim = victim_new();

    (void)state;
    victim.order->items.len = 1;
    assert_true(victim_valid(victim));
    victim.order->items.offset += 4;
    assert_false(victim_valid(victim));
    free(victim.order);
}

/* A list of lists of lists ... which are all the same bytes. */
static void lists_that_contain_themselves_end(void **state)
{
    struct bough_field knot = {
        .name = "n",
        .kind = BOUGH_LIST,
        .size = 8,
        .of_count = 1,
        .of_size = 8,
    };
    enum { COUNT = 1 << 20 };
    struct bough_span *spans = calloc(COUNT, sizeof(*spans));

    (void)state;
    assert_non_null(spans);
    knot.of = &knot;
    for (size_t i = 0; i < COUNT; i++)
        spans[i] = (struct bough_span){ 8, COUNT - 1 };
    assert_false(bough_block_valid(&knot, 1, spans, 8, COUNT * sizeof(*spans)));
    for (size_t i = 0; i < COUNT; i++)
        spans[i] = (struct bough_span){ 8, 1 };
    assert_false(bough_block_valid(&knot, 1, spans, 8, COUNT * sizeof(*spans)));
    free(spans);
}

/* Half a megabyte of spans that all name one text of half a megabyte: 32 GB to read. */
static void many_spans_of_one_text_are_not_read_for_ever(void **state)
{
    enum { COUNT = 65536, TEXT = 524288 };
    const struct bough_field list = {
        .name = "n",
        .kind = BOUGH_LIST,
        .size = 8,
        .of = tag_fields,
        .of_count = 1,
        .of_size = 8,
    };
    const size_t size = 8 * (COUNT + 1) + TEXT + 1;
    struct bough_span *spans = calloc(1, size);

    (void)state;
    assert_non_null(spans);
    spans[0] = (struct bough_span){ 8, COUNT };
    for (size_t i = 1; i <= COUNT; i++) {
        spans[i] = (struct bough_span){ 8 * (COUNT + 1), TEXT };
    }
    memset(spans + COUNT + 1, 'x', TEXT);
    assert_false(bough_block_valid(&list, 1, spans, 8, size));
    free(spans);
}

static void pointers_have_no_place_in_a_block(void **state)
{
    const char *const pointer = "x";
    const struct bough_field field = { .name = "n", .kind = BOUGH_STRING, .size = 8 };

    (void)state;
    assert_false(
        bough_block_valid(&field, 1, &pointer, sizeof(pointer), sizeof(pointer)));
}

static void a_field_outside_the_struct_is_refused(void **state)
{
    const int64_t block[2] = { 0 };
    const struct bough_field field = {
        .name = "n", .kind = BOUGH_TEXT, .offset = 12, .size = 8
    };

    (void)state;
    assert_false(bough_block_valid(&field, 1, block, sizeof(block), sizeof(block)));
}

/* Whatever bytes are changed, the answer comes, and no byte outside is read: the
 * sanitizer and valgrind watch. */
static void a_storm_of_changed_bytes_is_survived(void **state)
{
    uint64_t seed = bough_test_seed();
    struct victim victim = victim_new();
    struct victim spoilt = victim_new();
    size_t refused = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        memcpy(spoilt.order, victim.order, victim.size);
        for (uint32_t i = bough_test_random(&seed, 4) + 1; i > 0; i--) {
            const uint32_t at = bough_test_random(&seed, (uint32_t)victim.size);
            ((unsigned char *)spoilt.order)[at] =
                (unsigned char)bough_test_random(&seed, 256);
        }
        if (!victim_valid(spoilt)) refused++;
    }
    assert_true(refused > 1000);
    free(spoilt.order);
    free(victim.order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_can_be_read_as_it_was_made),
        cmocka_unit_test(a_small_block_allocates_nothing),
        cmocka_unit_test(a_block_moves_to_the_heap_at_any_point),
        cmocka_unit_test(the_first_error_stands),
        cmocka_unit_test(a_block_has_a_largest_size),
        cmocka_unit_test(a_list_whose_size_overflows_is_too_large),
        cmocka_unit_test(a_list_is_zeroed_and_aligned),
        cmocka_unit_test(a_member_outside_the_block_is_a_bug),
        cmocka_unit_test(finishing_twice_is_fine),
        cmocka_unit_test(a_block_that_was_cut_is_invalid),
        cmocka_unit_test(spans_that_point_outside_are_invalid),
        cmocka_unit_test(a_part_that_was_not_given_is_valid),
        cmocka_unit_test(a_text_must_end_and_be_utf8),
        cmocka_unit_test(pairs_must_be_pairs),
        cmocka_unit_test(choices_and_bools_must_be_in_range),
        cmocka_unit_test(a_list_must_be_aligned),
        cmocka_unit_test(lists_that_contain_themselves_end),
        cmocka_unit_test(many_spans_of_one_text_are_not_read_for_ever),
        cmocka_unit_test(pointers_have_no_place_in_a_block),
        cmocka_unit_test(a_field_outside_the_struct_is_refused),
        cmocka_unit_test(a_storm_of_changed_bytes_is_survived),
    };
    return cmocka_run_group_tests_name("core/block", tests, NULL, NULL);
}
