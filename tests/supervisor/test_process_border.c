/* test_process_border.c - frames at the end of a ring.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <bough/supervisor/process/ring_internal.h>
#include <bough/tests/support/fixture.h>

/* Two ends in one process, without a socket: nothing large can be sent. */
struct ends {
    struct bough_border_page *pages[2];
    struct bough_border writer, reader;
};

static void ends_open(struct ends *ends, uint64_t written)
{
    for (int i = 0; i < 2; i++) {
        ends->pages[i] = aligned_alloc(4096, sizeof(struct bough_border_page));
        assert_non_null(ends->pages[i]);
        memset(ends->pages[i], 0, sizeof(struct bough_border_page));
    }
    ends->writer = (struct bough_border){ .mine = ends->pages[0],
                                          .theirs = ends->pages[1],
                                          .written = written,
                                          .shown = written,
                                          .their_read = written,
                                          .wake_fd = -1,
                                          .poke_fd = -1,
                                          .socket = -1 };
    ends->reader = (struct bough_border){ .mine = ends->pages[1],
                                          .theirs = ends->pages[0],
                                          .read = written,
                                          .their_written = written,
                                          .wake_fd = -1,
                                          .poke_fd = -1,
                                          .socket = -1 };
    ends->pages[0]->written = written;
    ends->pages[1]->read = written;
}

static void ends_close(struct ends *ends)
{
    free(ends->pages[0]);
    free(ends->pages[1]);
}

static enum bough_status read_one(struct ends *ends, struct bough_frame *frame)
{
    const void *bytes;
    size_t len;

    return bough_border_read(&ends->reader, frame, &bytes, &len);
}

/* Who reads would take a rest that is left out, with nothing behind it, for nonsense. */
static void what_cannot_be_sent_leaves_nothing(void **state)
{
    static const char large[BOUGH_FRAME_MAX + 1];
    struct ends ends;
    struct bough_frame frame = { .kind = BOUGH_FRAME_TELL };

    (void)state;
    ends_open(&ends, BOUGH_RING_SIZE - 16);
    assert_int_not_equal(
        bough_border_write(&ends.writer, &frame, large, sizeof(large), false), BOUGH_OK);
    bough_border_show(&ends.writer);
    assert_int_equal(read_one(&ends, &frame), BOUGH_ENOREPLY);
    ends_close(&ends);
}

static void a_frame_goes_to_the_beginning_when_it_does_not_fit(void **state)
{
    const uint64_t message = 7;

    (void)state;
    for (size_t left = 16; left <= 64; left += 16) {
        struct bough_frame frame;
        struct ends ends;

        ends_open(&ends, BOUGH_RING_SIZE - left);
        for (uint64_t id = 1; id <= 2; id++)
            assert_int_equal(
                bough_ring_message(&ends.writer, id, 0, &message, sizeof(message)),
                BOUGH_OK);
        assert_int_equal(read_one(&ends, &frame), BOUGH_ENOREPLY);
        bough_border_show(&ends.writer);
        for (uint64_t id = 1; id <= 2; id++) {
            assert_int_equal(read_one(&ends, &frame), BOUGH_OK);
            assert_int_equal(frame.id, id);
            assert_int_equal(frame.len, sizeof(message));
        }
        assert_int_equal(read_one(&ends, &frame), BOUGH_ENOREPLY);
        ends_close(&ends);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_sent_leaves_nothing),
        cmocka_unit_test(a_frame_goes_to_the_beginning_when_it_does_not_fit),
    };
    return cmocka_run_group_tests_name("supervisor/process_border", tests, NULL, NULL);
}
