/* What a worker is told of on its channel, however the bytes are cut: frames of the ring, in order, and nothing beside
 * it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/intake.h"

enum { RING_BYTES = 4096 };

static uint8_t ring[2 * RING_BYTES]; /* the second half is the first again */

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
    intake_init(&p.in, &(struct ring_view){.bytes = ring, .size = RING_BYTES});
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *p = *state;
    close(p->to);
    if (p->from >= 0)
        close(p->from);
    return 0;
}

static struct frame_ref ref_of(uint64_t id)
{
    return (struct frame_ref){
        .at = id * 37 % RING_BYTES,
        .len = (uint32_t)(id * 101 % (RING_BYTES + 1)),
        .partition = (uint8_t)(id % 64),
        .id = id,
        .seq = (int64_t)id * 2,
    };
}

static void deliver(struct pair *p, const void *bytes, size_t n)
{
    assert_int_equal(write(p->from, bytes, n), n);
}

static void assert_and_drop(struct intake *in, uint64_t id)
{
    struct frame_ref ref, expected = ref_of(id);
    const uint8_t *frame;
    assert_true(intake_peek(in, &ref, &frame));
    assert_memory_equal(&ref, &expected, sizeof ref);
    assert_ptr_equal(frame, ring + expected.at);
    intake_drop(in);
}

static void one_that_comes_byte_by_byte_is_there_with_its_last(void **state)
{
    struct pair *p = *state;
    struct frame_ref given = ref_of(7), ref;
    const uint8_t *frame;
    for (size_t i = 0; i < sizeof given; i++) {
        assert_false(intake_peek(&p->in, &ref, &frame));
        deliver(p, (const char *)&given + i, 1);
        assert_true(intake_read(&p->in, p->to));
    }
    assert_and_drop(&p->in, 7);
    assert_true(intake_is_empty(&p->in));
}

static void many_come_at_once_with_a_part_of_the_next(void **state)
{
    struct pair *p = *state;
    struct frame_ref given[5];
    for (uint64_t id = 1; id <= 5; id++)
        given[id - 1] = ref_of(id);
    deliver(p, given, sizeof given - 20);
    assert_true(intake_read(&p->in, p->to));
    for (uint64_t id = 1; id <= 4; id++)
        assert_and_drop(&p->in, id);
    assert_true(intake_is_empty(&p->in));
    deliver(p, (const char *)given + sizeof given - 20, 20);
    assert_true(intake_read(&p->in, p->to));
    assert_and_drop(&p->in, 5);
}

static void what_there_is_no_room_for_stays_in_the_channel(void **state)
{
    struct pair *p = *state;
    uint64_t told = 0, taken = 0;
    struct frame_ref refs[INTAKE_REFS + 100];
    for (; told < INTAKE_REFS + 100; told++)
        refs[told] = ref_of(told);
    deliver(p, refs, sizeof refs);
    assert_false(intake_is_full(&p->in));
    assert_true(intake_read(&p->in, p->to));
    assert_true(intake_is_full(&p->in));
    assert_true(intake_read(&p->in, p->to)); /* no room: neither an error nor the end */
    assert_false(p->in.ended);
    assert_and_drop(&p->in, taken++);
    assert_false(intake_is_full(&p->in));
    for (; taken < INTAKE_REFS; taken++)
        assert_and_drop(&p->in, taken);
    assert_true(intake_is_empty(&p->in));
    assert_true(intake_read(&p->in, p->to));
    for (; taken < told; taken++)
        assert_and_drop(&p->in, taken);
    assert_true(intake_is_empty(&p->in));
}

static void what_lies_beside_the_ring_is_refused(void **state)
{
    struct pair *p = *state;
    struct frame_ref last = {.at = RING_BYTES - 1, .len = RING_BYTES, .id = 1}; /* it ends where the mapping does */
    struct frame_ref behind = {.at = RING_BYTES, .len = 1, .id = 2}, large = {.at = 0, .len = RING_BYTES + 1, .id = 3};
    deliver(p, &last, sizeof last);
    assert_true(intake_read(&p->in, p->to));
    deliver(p, &behind, sizeof behind);
    assert_false(intake_read(&p->in, p->to));
    assert_int_equal(errno, EBADMSG);
    intake_init(&p->in, &(struct ring_view){.bytes = ring, .size = RING_BYTES});
    deliver(p, &large, sizeof large);
    assert_false(intake_read(&p->in, p->to));
    assert_int_equal(errno, EBADMSG);
}

static void nothing_to_read_is_no_end_and_a_closed_pair_is(void **state)
{
    struct pair *p = *state;
    struct frame_ref ref = ref_of(1);
    assert_true(intake_read(&p->in, p->to));
    assert_false(p->in.ended);
    deliver(p, &ref, sizeof ref);
    close(p->from);
    p->from = -1;
    assert_true(intake_read(&p->in, p->to));
    assert_true(intake_read(&p->in, p->to));
    assert_true(p->in.ended);
    assert_and_drop(&p->in, 1); /* what is here counts still */
}

static void broken_pair_is_told(void **state)
{
    struct pair *p = *state;
    assert_false(intake_read(&p->in, -1));
}

static void however_the_bytes_are_cut_the_frames_are_the_same(void **state)
{
    struct pair *p = *state;
    enum { FRAMES = 30000 };
    const char *given = getenv("FIREHOSED_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    struct frame_ref *refs = malloc(FRAMES * sizeof *refs);
    assert_non_null(refs);
    print_message("FIREHOSED_SEED=%u\n", seed);
    srandom(seed);
    size_t n = FRAMES * sizeof *refs, sent = 0;
    uint64_t next = 0;
    for (uint64_t id = 0; id < FRAMES; id++)
        refs[id] = ref_of(id);
    while (next < FRAMES) {
        size_t piece = 1 + (size_t)(random() % (random() % 3 == 0 ? 20000 : 300));
        if (piece > n - sent)
            piece = n - sent;
        ssize_t written = piece > 0 ? write(p->from, (const char *)refs + sent, piece) : 0;
        if (written > 0)
            sent += (size_t)written;
        assert_true(intake_read(&p->in, p->to));
        for (; next < FRAMES && random() % 64 != 0 && !intake_is_empty(&p->in); next++)
            assert_and_drop(&p->in, next);
    }
    assert_true(intake_is_empty(&p->in));
    free(refs);
}

#define ON_A_PAIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_PAIR(one_that_comes_byte_by_byte_is_there_with_its_last),
        ON_A_PAIR(many_come_at_once_with_a_part_of_the_next),
        ON_A_PAIR(nothing_to_read_is_no_end_and_a_closed_pair_is),
        ON_A_PAIR(broken_pair_is_told),
        ON_A_PAIR(what_there_is_no_room_for_stays_in_the_channel),
        ON_A_PAIR(what_lies_beside_the_ring_is_refused),
        ON_A_PAIR(however_the_bytes_are_cut_the_frames_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
