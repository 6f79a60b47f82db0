/* Frames out of a channel's bytes, however they are cut, and whatever their size. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/intake.h"

enum { LARGE = 3 << 20, USUAL = 256 * 1024 /* the buffer's size as long as no frame is larger */ };

struct pair {
    struct intake in;
    int from, to; /* both ends: non-blocking */
};

static int set_up(void **state)
{
    static struct pair p;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    p = (struct pair){.from = ends[0], .to = ends[1]};
    assert_true(intake_init(&p.in));
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *p = *state;
    intake_fini(&p->in);
    close(p->to);
    if (p->from >= 0)
        close(p->from);
    return 0;
}

static uint8_t byte_of(uint64_t id, size_t i)
{
    return (uint8_t)(id * 31 + i * 7);
}

static size_t encode(uint8_t *out, uint64_t id, uint32_t len)
{
    struct frame_header header = {.len = len, .partition = (uint8_t)(id % 64), .id = id, .seq = (int64_t)id * 2};
    memcpy(out, &header, sizeof header);
    for (size_t i = 0; i < len; i++)
        out[sizeof header + i] = byte_of(id, i);
    return sizeof header + len;
}

/* Writes all of it, and reads whenever the pair is full. */
static void deliver(struct pair *p, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(p->from, bytes, n);
        if (written < 0) {
            assert_int_equal(errno, EAGAIN);
            size_t before = p->in.end - p->in.start;
            assert_true(intake_read(&p->in, p->to));
            assert_true(p->in.end - p->in.start > before); /* else it would hang */
            continue;
        }
        bytes += written;
        n -= (size_t)written;
    }
}

static void assert_and_drop(struct intake *in, uint64_t id, uint32_t len)
{
    struct frame_header header;
    const uint8_t *frame;
    assert_true(intake_peek(in, &header, &frame));
    assert_int_equal(header.id, id);
    assert_int_equal(header.seq, id * 2);
    assert_int_equal(header.len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(frame[i], byte_of(id, i));
    intake_drop(in, &header);
}

static void frame_that_comes_byte_by_byte_is_whole_with_its_last(void **state)
{
    struct pair *p = *state;
    uint8_t bytes[100];
    struct frame_header header;
    const uint8_t *frame;
    size_t n = encode(bytes, 7, 40);
    for (size_t i = 0; i < n; i++) {
        assert_false(intake_peek(&p->in, &header, &frame));
        deliver(p, bytes + i, 1);
        assert_true(intake_read(&p->in, p->to));
    }
    assert_and_drop(&p->in, 7, 40);
    assert_true(intake_is_empty(&p->in));
}

static void many_come_at_once_with_a_part_of_the_next(void **state)
{
    struct pair *p = *state;
    uint8_t bytes[1000];
    struct frame_header header;
    const uint8_t *frame;
    size_t n = 0;
    for (uint64_t id = 1; id <= 5; id++)
        n += encode(bytes + n, id, (uint32_t)(id == 3 ? 0 : 10 * id)); /* one of them empty */
    deliver(p, bytes, n - 20);
    assert_true(intake_read(&p->in, p->to));
    for (uint64_t id = 1; id <= 4; id++)
        assert_and_drop(&p->in, id, (uint32_t)(id == 3 ? 0 : 10 * id));
    assert_false(intake_peek(&p->in, &header, &frame));
    assert_false(intake_is_empty(&p->in));
    deliver(p, bytes + n - 20, 20);
    assert_true(intake_read(&p->in, p->to));
    assert_and_drop(&p->in, 5, 50);
}

static void nothing_to_read_is_no_end_and_a_closed_pair_is(void **state)
{
    struct pair *p = *state;
    uint8_t bytes[100];
    assert_true(intake_read(&p->in, p->to));
    assert_false(p->in.ended);
    deliver(p, bytes, encode(bytes, 1, 10));
    close(p->from);
    p->from = -1;
    assert_true(intake_read(&p->in, p->to));
    assert_true(intake_read(&p->in, p->to));
    assert_true(p->in.ended);
    assert_and_drop(&p->in, 1, 10); /* what is here counts still */
}

static void broken_pair_is_told(void **state)
{
    struct pair *p = *state;
    assert_false(intake_read(&p->in, -1));
}

static void buffer_grows_for_a_large_frame_and_is_small_again_after_it(void **state)
{
    struct pair *p = *state;
    uint8_t *bytes = malloc(LARGE + 1000), little[100];
    assert_non_null(bytes);
    size_t first = encode(bytes, 1, 100), n = encode(bytes + first, 2, LARGE);
    deliver(p, bytes, first + 50); /* it begins behind another one, which is taken first */
    assert_true(intake_read(&p->in, p->to));
    assert_and_drop(&p->in, 1, 100);
    deliver(p, bytes + first + 50, n - 50);
    while (p->in.end - p->in.start < n)
        assert_true(intake_read(&p->in, p->to));
    assert_true(p->in.cap >= LARGE);
    deliver(p, little, encode(little, 3, 50));
    assert_true(intake_read(&p->in, p->to)); /* behind a whole large frame: either there is room, or it waits */
    assert_and_drop(&p->in, 2, LARGE);
    assert_true(intake_read(&p->in, p->to));
    assert_and_drop(&p->in, 3, 50);
    assert_true(intake_read(&p->in, p->to));
    assert_int_equal(p->in.cap, USUAL);
    free(bytes);
}

static void however_the_bytes_are_cut_the_frames_are_the_same(void **state)
{
    struct pair *p = *state;
    enum { FRAMES = 3000 };
    const char *given = getenv("FIREHOSED_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    uint8_t *bytes = malloc((size_t)64 << 20);
    uint32_t *lens = malloc(FRAMES * sizeof *lens);
    assert_non_null(bytes);
    assert_non_null(lens);
    print_message("FIREHOSED_SEED=%u\n", seed);
    srandom(seed);
    size_t n = 0, sent = 0;
    uint64_t next = 0;
    for (uint64_t id = 0; id < FRAMES; id++) {
        lens[id] = (uint32_t)(random() % (id % 500 == 7 ? 700000 : id % 11 == 0 ? 20000 : 500));
        n += encode(bytes + n, id, lens[id]);
    }
    while (next < FRAMES) {
        size_t piece = 1 + (size_t)(random() % (random() % 3 == 0 ? 300000 : 3000));
        if (piece > n - sent)
            piece = n - sent;
        ssize_t written = piece > 0 ? write(p->from, bytes + sent, piece) : 0;
        if (written > 0)
            sent += (size_t)written;
        assert_true(intake_read(&p->in, p->to));
        struct frame_header header;
        const uint8_t *frame;
        while (next < FRAMES && random() % 8 != 0 && intake_peek(&p->in, &header, &frame)) {
            assert_and_drop(&p->in, next, lens[next]);
            next++;
        }
    }
    assert_true(intake_is_empty(&p->in));
    free(bytes);
    free(lens);
}

#define ON_A_PAIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_PAIR(frame_that_comes_byte_by_byte_is_whole_with_its_last),
        ON_A_PAIR(many_come_at_once_with_a_part_of_the_next),
        ON_A_PAIR(nothing_to_read_is_no_end_and_a_closed_pair_is),
        ON_A_PAIR(broken_pair_is_told),
        ON_A_PAIR(buffer_grows_for_a_large_frame_and_is_small_again_after_it),
        ON_A_PAIR(however_the_bytes_are_cut_the_frames_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
