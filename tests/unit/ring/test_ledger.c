/* The ring of frames: records are sent and committed in a worker's order, and the cursor passes none that is not. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/config.h"
#include "ipc/channel.h"
#include "atproto/frame.h"
#include "ring/ledger.h"
#include "ring/router.h"

enum { RING = 64 * 1024, WORKERS = 3, LEN = 100, CONSUMED = 104 /* with a header of 4 in front */ };

static struct ledger *ring(size_t bytes)
{
    struct error why;
    struct ledger *l = ledger_new(bytes, WORKERS, &why);
    assert_non_null(l);
    return l;
}

static int set_up(void **state)
{
    *state = ring(RING);
    return 0;
}

static int tear_down(void **state)
{
    ledger_free(*state);
    return 0;
}

/* n bytes of a pattern that `salt` makes another one arrive behind what is in the window. */
static void arrive(struct ledger *l, size_t n, unsigned salt)
{
    size_t filled, room;
    uint8_t *window = ledger_window(l, &filled, &room);
    assert_true(n <= room);
    for (size_t i = 0; i < n; i++)
        window[filled + i] = (uint8_t)(salt * 31 + i);
    ledger_filled(l, n);
}

/* The bytes are those that a worker sees. */
static void assert_frame(const struct ledger *l, const struct ledger_record *r, unsigned salt, size_t offset)
{
    const uint8_t *frame = ledger_view(l) + r->at;
    for (size_t i = 0; i < r->len; i++)
        assert_int_equal(frame[i], (uint8_t)(salt * 31 + offset + i));
}

/* A message of the partition, so of worker partition % WORKERS; the salt is its seq. */
static uint64_t take(struct ledger *l, int64_t seq, uint16_t partition)
{
    arrive(l, CONSUMED, (unsigned)seq);
    uint64_t id = ledger_take(l, CONSUMED - LEN, LEN, CONSUMED, seq, partition, FRAME_COMMIT,
                              route_worker(partition, ledger_workers(l)));
    assert_int_not_equal(id, 0);
    return id;
}

static uint64_t hold(struct ledger *l, int64_t seq, uint16_t partition)
{
    arrive(l, CONSUMED, (unsigned)seq);
    uint64_t id = ledger_hold(l, CONSUMED - LEN, LEN, CONSUMED, seq, partition, FRAME_COMMIT);
    assert_int_not_equal(id, 0);
    return id;
}

static void assert_cursor(const struct ledger *l, int64_t expected)
{
    int64_t cursor = 0;
    assert_true(ledger_cursor(l, &cursor));
    assert_int_equal(cursor, expected);
}

static void assert_no_cursor(const struct ledger *l)
{
    int64_t cursor;
    assert_false(ledger_cursor(l, &cursor));
}

static void assert_unsent(const struct ledger *l, unsigned worker, uint64_t expected)
{
    struct ledger_record r = {.id = 0};
    assert_int_equal(ledger_next_unsent(l, worker, &r), expected != 0);
    assert_int_equal(r.id, expected);
}

/* ---- the window ---- */

static void window_grows_shrinks_is_skipped_and_cleared(void **state)
{
    struct ledger *l = *state;
    size_t filled, room;
    ledger_window(l, &filled, &room);
    assert_int_equal(filled, 0);
    assert_int_equal(room, RING);
    arrive(l, 300, 7);
    ledger_shrink(l, 100);
    ledger_skip(l, 50);
    uint8_t *window = ledger_window(l, &filled, &room);
    assert_int_equal(filled, 150);
    assert_int_equal(room, RING - 150);
    assert_int_equal(window[0], (uint8_t)(7 * 31 + 50));
    ledger_clear_window(l);
    ledger_window(l, &filled, &room);
    assert_int_equal(filled, 0);
    assert_int_equal(room, RING);
    assert_int_equal(ledger_used_bytes(l), 0);
}

static void size_is_whole_pages(void **state)
{
    (void)state;
    struct ledger *l = ring(RING + 1);
    assert_true(ledger_size_bytes(l) > RING);
    assert_int_equal(ledger_size_bytes(l) % 4096, 0);
    ledger_free(l);
}

static void cleared_window_leaves_records_alone(void **state)
{
    struct ledger *l = *state;
    struct ledger_record r;
    uint64_t id = take(l, 1, 0);
    arrive(l, 500, 9);
    ledger_clear_window(l);
    take(l, 2, 0);
    assert_true(ledger_next_unsent(l, 0, &r));
    assert_int_equal(r.id, id);
    assert_frame(l, &r, 1, CONSUMED - LEN);
    assert_true(ledger_unsent_after(l, id, &r));
    assert_frame(l, &r, 2, CONSUMED - LEN);
    assert_int_equal(ledger_used_bytes(l), 2 * CONSUMED);
}

static void what_wraps_is_contiguous(void **state)
{
    struct ledger *l = *state;
    struct ledger_record r;
    uint64_t open = take(l, 1, 0), previous = 0; /* one stays: the window never begins at the front again */
    for (int64_t seq = 2; seq < 3000; seq++) {
        uint64_t id = take(l, seq, 0);
        ledger_sent(l, 0, id);
        if (previous == 0)
            previous = open;
        assert_true(ledger_outstanding(l, 0, &r));
        assert_int_equal(r.id, previous);
        assert_frame(l, &r, (unsigned)r.seq, CONSUMED - LEN);
        assert_int_equal(ledger_commit(l, 0, previous), 1);
        previous = id;
    }
    assert_int_equal(ledger_record_count(l), 1);
    assert_cursor(l, 2998);
}

static void full_ring_has_no_room_until_its_oldest_is_committed(void **state)
{
    struct ledger *l = *state;
    size_t filled, room = RING;
    uint64_t first = 0, last = 0;
    for (int64_t seq = 1; room >= CONSUMED; seq++) {
        last = take(l, seq, 0);
        first = first != 0 ? first : last;
        ledger_window(l, &filled, &room);
    }
    arrive(l, room, 0);
    ledger_window(l, &filled, &room);
    assert_int_equal(room, 0);
    assert_int_equal(ledger_used_bytes(l), ledger_size_bytes(l));
    ledger_sent(l, 0, last);
    assert_int_equal(ledger_commit(l, 0, first), 1);
    ledger_window(l, &filled, &room);
    assert_int_equal(room, CONSUMED);
}

static void tiny_frames_fill_the_ring_by_their_number(void **state)
{
    struct ledger *l = *state;
    size_t filled, room = 1;
    unsigned count = 0;
    while (ledger_window(l, &filled, &room), room > 0) {
        arrive(l, 2, count);
        assert_int_not_equal(ledger_take(l, 0, 2, 2, count + 1, 0, FRAME_COMMIT, 0), 0);
        count++;
    }
    assert_int_equal(count, RING / 64);
    assert_true(ledger_used_bytes(l) < RING / 8);
}

static void records_grow_and_keep_order_and_bytes(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    struct ledger *l = ring((size_t)4 << 20);
    struct ledger_record r;
    for (int64_t seq = 1; seq <= 700; seq++) { /* so that the oldest id is in the middle of the array when it grows */
        uint64_t id = take(l, seq, 1);
        ledger_sent(l, 1, id);
        ledger_commit(l, 1, id);
    }
    for (int64_t seq = 701; seq <= MANY; seq++)
        take(l, seq, (uint16_t)(seq % 3));
    assert_int_equal(ledger_record_count(l), MANY - 700);
    for (unsigned worker = 0; worker < 3; worker++) {
        int64_t seq = 701 + (worker + 3 - 701 % 3) % 3;
        bool more = ledger_next_unsent(l, worker, &r);
        for (; more; seq += 3, more = ledger_unsent_after(l, r.id, &r)) {
            assert_int_equal(r.seq, seq);
            assert_frame(l, &r, (unsigned)seq, CONSUMED - LEN);
        }
        assert_true(seq > MANY);
    }
    ledger_free(l);
}

/* ---- sending and committing ---- */

static void cursor_stands_in_front_of_the_oldest_that_is_open(void **state)
{
    struct ledger *l = *state;
    uint64_t a = take(l, 10, 0), b = take(l, 20, 1), c = take(l, 30, 2);
    assert_no_cursor(l);
    ledger_sent(l, 0, a);
    ledger_sent(l, 1, b);
    ledger_sent(l, 2, c);
    assert_int_equal(ledger_commit(l, 2, c), 1);
    assert_int_equal(ledger_commit(l, 1, b), 1);
    assert_no_cursor(l);
    assert_int_equal(ledger_record_count(l), 3);
    assert_int_equal(ledger_commit(l, 0, a), 1);
    assert_cursor(l, 30);
    assert_int_equal(ledger_record_count(l), 0);
    assert_int_equal(ledger_used_bytes(l), 0);
}

static void ack_commits_all_up_to_it_of_its_worker_alone(void **state)
{
    struct ledger *l = *state;
    uint64_t a = take(l, 1, 0);
    uint64_t b = take(l, 2, 1);
    take(l, 3, 0);
    uint64_t d = take(l, 4, 0);
    ledger_sent(l, 0, d);
    ledger_sent(l, 1, b);
    assert_int_equal(ledger_commit(l, 0, d), 3);
    assert_cursor(l, 1);
    assert_int_equal(ledger_queue_length(l, 0), 0);
    assert_int_equal(ledger_queue_length(l, 1), 1);
    assert_int_equal(ledger_commit(l, 0, a), 0); /* an old one */
    assert_int_equal(ledger_commit(l, 1, d), 1); /* ids between were of others */
    assert_cursor(l, 4);
}

static void ack_of_what_was_never_sent_changes_nothing(void **state)
{
    struct ledger *l = *state;
    uint64_t a = take(l, 1, 0), b = take(l, 2, 0);
    assert_int_equal(ledger_commit(l, 0, b), 0);
    assert_no_cursor(l);
    ledger_sent(l, 0, a);
    assert_int_equal(ledger_commit(l, 0, UINT64_MAX), 1); /* a worker that lies gets what it was given */
    assert_int_equal(ledger_commit(l, 1, UINT64_MAX), 0);
    assert_cursor(l, 1);
    assert_unsent(l, 0, b);
}

static void queue_goes_on_after_it_was_empty(void **state)
{
    struct ledger *l = *state;
    uint64_t a = take(l, 1, 0);
    ledger_sent(l, 0, a);
    assert_unsent(l, 0, 0);
    ledger_commit(l, 0, a);
    uint64_t b = take(l, 2, 0), c = take(l, 3, 0);
    assert_unsent(l, 0, b);
    ledger_sent(l, 0, b);
    assert_unsent(l, 0, c);
    assert_int_equal(ledger_queue_length(l, 0), 2);
}

static void record_without_seq_holds_the_cursor_and_gives_it_none(void **state)
{
    struct ledger *l = *state;
    uint64_t a = take(l, 5, 0), b = take(l, 0, 1), c = take(l, 6, 0);
    ledger_sent(l, 0, c);
    ledger_sent(l, 1, b);
    ledger_commit(l, 0, a);
    assert_cursor(l, 5);
    ledger_commit(l, 0, c);
    assert_cursor(l, 5);
    ledger_commit(l, 1, b);
    assert_cursor(l, 6);
}

static void what_is_done_at_once_waits_for_its_turn(void **state)
{
    struct ledger *l = *state;
    arrive(l, 50, 0);
    assert_true(ledger_take_done(l, 50, 7));
    assert_cursor(l, 7);
    uint64_t a = take(l, 8, 0);
    arrive(l, 50, 0);
    assert_true(ledger_take_done(l, 50, 9));
    arrive(l, 50, 0);
    assert_true(ledger_take_done(l, 50, 0)); /* has none */
    assert_cursor(l, 7);
    ledger_sent(l, 0, a);
    assert_int_equal(ledger_commit(l, 0, a), 1);
    assert_cursor(l, 9);
    assert_int_equal(ledger_used_bytes(l), 0);
}

/* ---- a worker that is gone ---- */

static void what_is_unsent_again_begins_at_the_oldest(void **state)
{
    struct ledger *l = *state;
    struct ledger_record r;
    uint64_t a = take(l, 1, 0), b = take(l, 2, 0), c = take(l, 3, 0), d = take(l, 4, 0);
    ledger_sent(l, 0, c);
    ledger_commit(l, 0, a);
    assert_int_equal(ledger_outstanding_count(l, 0), 2);
    assert_true(ledger_outstanding(l, 0, &r));
    assert_int_equal(r.id, b);
    assert_int_equal(ledger_unsend(l, 0, false), 2);
    assert_false(ledger_outstanding(l, 0, &r));
    assert_int_equal(ledger_outstanding_count(l, 0), 0);
    assert_true(ledger_next_unsent(l, 0, &r));
    assert_int_equal(r.id, b);
    assert_false(r.is_suspect);
    assert_int_equal(ledger_commit(l, 0, d), 0); /* the late ack of one that is gone */
    assert_int_equal(ledger_queue_length(l, 0), 3);
}

static void suspects_are_what_it_had(void **state)
{
    struct ledger *l = *state;
    struct ledger_record r;
    uint64_t a = take(l, 1, 0), b = take(l, 2, 0), c = take(l, 3, 0);
    ledger_sent(l, 0, b);
    assert_int_equal(ledger_unsend(l, 0, true), 2);
    assert_true(ledger_next_unsent(l, 0, &r));
    assert_int_equal(r.id, a);
    assert_true(r.is_suspect);
    assert_true(ledger_unsent_after(l, a, &r));
    assert_int_equal(r.id, b);
    assert_true(r.is_suspect);
    assert_true(ledger_unsent_after(l, b, &r));
    assert_int_equal(r.id, c);
    assert_false(r.is_suspect);
    assert_false(ledger_unsent_after(l, c, &r));
    assert_true(ledger_has_suspects(l, 0));
    assert_true(ledger_reroute(l, 1)); /* they stay suspects, whoever gets them */
    assert_true(ledger_has_suspects(l, 0));
    ledger_sent(l, 0, a);
    ledger_commit(l, 0, a);
    assert_true(ledger_has_suspects(l, 0));
    ledger_sent(l, 0, b);
    ledger_commit(l, 0, b);
    assert_false(ledger_has_suspects(l, 0));
    assert_int_equal(ledger_queue_length(l, 0), 1);
}

static void blame_adds_up_to_a_verdict(void **state)
{
    struct ledger *l = *state;
    struct ledger_record r;
    uint64_t a = take(l, 1, 0);
    ledger_sent(l, 0, a);
    ledger_unsend(l, 0, true);
    assert_int_equal(ledger_blame(l, a, POINTS_KILLED, VERDICT_SIGNAL, 9), 1);
    assert_int_equal(ledger_blame(l, a, POINTS_OWN_DEATH, VERDICT_SIGNAL, 11), 3);
    assert_true(ledger_next_unsent(l, 0, &r));
    assert_int_equal(r.verdict, VERDICT_NONE);
    assert_int_equal(ledger_blame(l, a, POINTS_OWN_DEATH, VERDICT_EXIT, 3), 5);
    assert_true(ledger_next_unsent(l, 0, &r));
    assert_int_equal(r.verdict, VERDICT_EXIT);
    assert_int_equal(r.cause, 3);
    assert_true(r.is_suspect);
    for (int i = 0; i < 10; i++) /* points do not spill into the verdict */
        ledger_blame(l, a, POINTS_OWN_DEATH, VERDICT_EXIT, 3);
    assert_true(ledger_next_unsent(l, 0, &r));
    assert_int_equal(r.verdict, VERDICT_EXIT);
    ledger_sent(l, 0, a);
    ledger_commit(l, 0, a);
    assert_cursor(l, 1); /* a dead letter is dealt with */
}

static void rerouted_is_what_is_open_in_order_and_none_as_sent(void **state)
{
    struct ledger *l = *state;
    struct ledger_record r;
    uint64_t ids[8];
    for (uint16_t i = 0; i < 8; i++)
        ids[i] = take(l, i + 1, i);
    uint64_t held = hold(l, 100, 5);
    ledger_sent(l, 0, ids[6]); /* 0, 3, 6 */
    ledger_commit(l, 0, ids[3]);
    assert_false(ledger_reroute(l, 0));
    assert_false(ledger_reroute(l, WORKERS_MAX + 1));
    assert_true(ledger_reroute(l, 2));
    assert_int_equal(ledger_workers(l), 2);
    assert_int_equal(ledger_queue_length(l, 0), 3); /* 2, 4, 6 */
    assert_int_equal(ledger_queue_length(l, 1), 3); /* 1, 5, 7: 0 and 3 are committed, the held one is nobody's */
    assert_int_equal(ledger_queue_length(l, 2), 0);
    assert_false(ledger_outstanding(l, 0, &r));
    assert_unsent(l, 0, ids[2]);
    assert_unsent(l, 1, ids[1]);
    ledger_release(l, held); /* 5: of worker 1 now */
    assert_int_equal(ledger_queue_length(l, 1), 4);
}

/* ---- held ---- */

static void held_frame_goes_to_nobody_and_holds_the_cursor(void **state)
{
    struct ledger *l = *state;
    struct ledger_record r;
    uint64_t a = take(l, 1, 0), h = hold(l, 1000, 63);
    ledger_sent(l, 0, a);
    ledger_commit(l, 0, a);
    for (unsigned worker = 0; worker < WORKERS; worker++)
        assert_unsent(l, worker, 0);
    assert_cursor(l, 1);
    assert_int_equal(ledger_record_count(l), 1);
    ledger_release(l, h);
    assert_true(ledger_next_unsent(l, 63 % WORKERS, &r));
    assert_int_equal(r.id, h);
    assert_int_equal(r.partition, 63);
    assert_frame(l, &r, 1000, CONSUMED - LEN);
    ledger_sent(l, 63 % WORKERS, h);
    ledger_commit(l, 63 % WORKERS, h);
    assert_cursor(l, 1000);
}

static void held_frame_that_is_condemned_gives_no_cursor(void **state)
{
    struct ledger *l = *state;
    struct ledger_record r;
    uint64_t a = take(l, 1, 0), h = hold(l, 1000, 0);
    ledger_condemn(l, h, VERDICT_IMPLAUSIBLE);
    ledger_release(l, h);
    uint64_t b = take(l, 2, 1);
    assert_true(ledger_unsent_after(l, a, &r));
    assert_int_equal(r.verdict, VERDICT_IMPLAUSIBLE);
    ledger_sent(l, 0, h);
    ledger_sent(l, 1, b);
    ledger_commit(l, 0, h);
    assert_cursor(l, 1);
    ledger_commit(l, 1, b);
    assert_cursor(l, 2);
}

static void held_frame_that_is_dropped_counts_only_if_told_so(void **state)
{
    struct ledger *l = *state;
    uint64_t a = take(l, 1, 0);
    ledger_drop_held(l, hold(l, 1000, 0), 0);
    assert_int_equal(ledger_record_count(l), 2);
    ledger_sent(l, 0, a);
    ledger_commit(l, 0, a);
    assert_cursor(l, 1);
    assert_int_equal(ledger_record_count(l), 0);
    ledger_drop_held(l, hold(l, 2000, 0), 2000);
    assert_cursor(l, 2000);
    assert_int_equal(ledger_used_bytes(l), 0);
}

static void reset_forgets_records_window_and_cursor(void **state)
{
    struct ledger *l = *state;
    size_t filled, room;
    uint64_t a = take(l, 1, 0), b = take(l, 2, 1);
    ledger_sent(l, 1, b);
    ledger_sent(l, 0, a);
    ledger_commit(l, 0, a);
    take(l, 3, 2);
    arrive(l, 33, 0);
    assert_int_equal(ledger_reset(l), 2);
    assert_no_cursor(l);
    ledger_window(l, &filled, &room);
    assert_int_equal(filled, 0);
    assert_int_equal(room, RING);
    assert_int_equal(ledger_commit(l, 1, b), 0); /* the ack of a worker of before */
    uint64_t c = take(l, 1, 1);
    assert_true(c > b);
    assert_int_equal(ledger_commit(l, 1, b), 0);
    assert_unsent(l, 1, c);
}

/* ---- against a model ---- */

/* The same as plain as can be: an array of all records there ever were, looked through each time. */
enum { MODEL_MAX = 20000, STEPS = 40000 };
struct model_record {
    uint64_t id;
    int64_t seq;
    uint16_t partition;
    size_t bytes, len;
    bool is_done, is_sent, is_held, is_implausible, is_suspect;
};
static struct model {
    struct model_record records[MODEL_MAX];
    size_t first, count; /* first: the oldest that is open */
    unsigned workers;
    int64_t cursor, seq;
    bool has_cursor;
    size_t window, holding; /* holding: index of the held one + 1 */
} model;

static void model_advance(void)
{
    for (; model.first < model.count && model.records[model.first].is_done; model.first++)
        if (model.records[model.first].seq != 0 && !model.records[model.first].is_implausible) {
            model.cursor = model.records[model.first].seq;
            model.has_cursor = true;
        }
}

static bool is_of(const struct model_record *r, unsigned worker)
{
    return !r->is_done && !r->is_held && route_worker(r->partition, model.workers) == worker;
}

/* The worker's n-th open record that is sent, or is not; NULL: there is none. */
static struct model_record *model_find(unsigned worker, bool sent, size_t n)
{
    for (size_t i = model.first; i < model.count; i++)
        if (is_of(&model.records[i], worker) && model.records[i].is_sent == sent && n-- == 0)
            return &model.records[i];
    return NULL;
}

static void compare(const struct ledger *l)
{
    int64_t cursor = 0;
    size_t used = 0;
    assert_int_equal(ledger_cursor(l, &cursor), model.has_cursor);
    if (model.has_cursor)
        assert_int_equal(cursor, model.cursor);
    assert_int_equal(ledger_record_count(l), model.count - model.first);
    for (size_t i = model.first; i < model.count; i++)
        used += model.records[i].bytes;
    /* What was skipped behind an open record lies between: no less than what is open, no more than the ring. */
    assert_true(ledger_used_bytes(l) >= used + model.window);
    assert_true(ledger_used_bytes(l) <= ledger_size_bytes(l));
    for (unsigned worker = 0; worker < model.workers; worker++) {
        struct ledger_record r;
        size_t length = 0, n = 0, suspects = 0, sent = 0;
        for (size_t i = model.first; i < model.count; i++) {
            length += is_of(&model.records[i], worker);
            sent += is_of(&model.records[i], worker) && model.records[i].is_sent;
            suspects += is_of(&model.records[i], worker) && model.records[i].is_suspect;
        }
        assert_int_equal(ledger_queue_length(l, worker), length);
        assert_int_equal(ledger_outstanding_count(l, worker), sent);
        assert_int_equal(ledger_has_suspects(l, worker), suspects > 0);
        const struct model_record *expected = model_find(worker, true, 0);
        assert_int_equal(ledger_outstanding(l, worker, &r), expected != NULL);
        if (expected != NULL)
            assert_int_equal(r.id, expected->id);
        bool more = ledger_next_unsent(l, worker, &r);
        for (; more && n < 3; n++, more = ledger_unsent_after(l, r.id, &r)) {
            expected = model_find(worker, false, n);
            assert_non_null(expected);
            assert_int_equal(r.id, expected->id);
            assert_int_equal(r.seq, expected->seq);
            assert_int_equal(r.len, expected->len);
            assert_int_equal(r.is_suspect, expected->is_suspect);
            assert_frame(l, &r, (unsigned)expected->id, 4);
        }
        assert_int_equal(more, model_find(worker, false, n) != NULL);
    }
}

/* A message of random length arrives, and is taken, held, or done at once. */
static void step_arrive(struct ledger *l, long what)
{
    size_t len = 10 + (size_t)(random() % (random() % 50 == 0 ? 9000 : 300)), consumed = len + 4, filled, room;
    ledger_window(l, &filled, &room);
    if (room < consumed + 4096 || model.count == MODEL_MAX || model.holding != 0)
        return;
    /* Ids rise by one a record, so the bytes can tell which one they are. */
    static uint64_t next_id;
    if (model.count == 0)
        next_id = 1;
    arrive(l, consumed, (unsigned)next_id);
    struct model_record *r = &model.records[model.count++];
    *r = (struct model_record){.id = next_id++, .bytes = consumed, .len = len};
    r->partition = (uint16_t)(random() % PARTITIONS);
    r->seq = random() % 20 == 0 ? 0 : (model.seq += 1 + random() % 5);
    if (what == 0) {
        r->is_done = true;
        assert_true(ledger_take_done(l, consumed, r->seq));
    } else if (what == 1) {
        r->is_held = true;
        model.holding = model.count;
        assert_int_equal(ledger_hold(l, 4, len, consumed, r->seq, r->partition, FRAME_COMMIT), r->id);
    } else {
        assert_int_equal(ledger_take(l, 4, len, consumed, r->seq, r->partition, FRAME_COMMIT,
                                     route_worker(r->partition, model.workers)),
                         r->id);
    }
}

static void step_decide(struct ledger *l)
{
    if (model.holding == 0)
        return;
    struct model_record *r = &model.records[model.holding - 1];
    model.holding = 0;
    r->is_held = false;
    switch (random() % 4) {
    case 0:
        ledger_drop_held(l, r->id, 0);
        r->is_done = true;
        r->seq = 0;
        break;
    case 1:
        ledger_drop_held(l, r->id, r->seq);
        r->is_done = true;
        break;
    case 2:
        ledger_condemn(l, r->id, VERDICT_IMPLAUSIBLE);
        r->is_implausible = true;
        ledger_release(l, r->id);
        break;
    default:
        ledger_release(l, r->id);
    }
}

static void step_send(struct ledger *l, unsigned worker)
{
    struct model_record *last = NULL, *r;
    for (long n = 1 + random() % 20; n > 0 && (r = model_find(worker, false, 0)) != NULL; n--) {
        r->is_sent = true;
        last = r;
    }
    if (last != NULL)
        ledger_sent(l, worker, last->id);
}

static void step_commit(struct ledger *l, unsigned worker)
{
    /* Any id: of another worker, old, not sent yet. */
    uint64_t id = model.count > 0 ? model.records[random() % (long)model.count].id : 1;
    const struct model_record *sent = model_find(worker, true, (size_t)(random() % 8));
    if (sent != NULL && random() % 4 != 0)
        id = sent->id;
    size_t expected = 0;
    for (size_t i = model.first; i < model.count; i++)
        if (is_of(&model.records[i], worker) && model.records[i].is_sent && model.records[i].id <= id) {
            model.records[i].is_done = true;
            expected++;
        }
    assert_int_equal(ledger_commit(l, worker, id), expected);
}

static void step_unsend(struct ledger *l, unsigned worker)
{
    bool suspect = random() % 2 == 0;
    size_t expected = 0;
    for (size_t i = model.first; i < model.count; i++)
        if (is_of(&model.records[i], worker) && model.records[i].is_sent) {
            model.records[i].is_sent = false;
            model.records[i].is_suspect |= suspect;
            expected++;
        }
    assert_int_equal(ledger_unsend(l, worker, suspect), expected);
}

static void step_reroute(struct ledger *l)
{
    model.workers = 1 + (unsigned)(random() % 7);
    for (size_t i = model.first; i < model.count; i++)
        model.records[i].is_sent = false;
    assert_true(ledger_reroute(l, model.workers));
}

static void step_reset(struct ledger *l)
{
    size_t expected = 0;
    step_decide(l);
    model_advance();
    for (size_t i = model.first; i < model.count; i++)
        expected += !model.records[i].is_done;
    assert_int_equal(ledger_reset(l), expected);
    model.first = model.count;
    model.has_cursor = false;
}

/* Bytes that are no frame of the sequence come, and are dropped, all or the last of them. */
static void step_window(struct ledger *l)
{
    size_t filled, room, n = (size_t)(random() % 500);
    ledger_window(l, &filled, &room);
    if (room < n + 4096)
        return;
    arrive(l, n, 0);
    switch (random() % 3) {
    case 0:
        ledger_skip(l, n);
        break;
    case 1:
        ledger_clear_window(l);
        break;
    default:
        ledger_shrink(l, n);
    }
}

static void behaves_as_the_model_whatever_comes(void **state)
{
    struct ledger *l = *state;
    const char *given = getenv("FIREHOSED_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("FIREHOSED_SEED=%u\n", seed);
    srandom(seed);
    memset(&model, 0, sizeof model);
    model.workers = WORKERS;
    for (int i = 0; i < STEPS; i++) {
        unsigned worker = (unsigned)random() % model.workers;
        long what = random() % 1000;
        if (what < 350)
            step_arrive(l, what % 16 == 7 ? 1 : what % 8 == 0 ? 0 : 2);
        else if (what < 450)
            step_decide(l);
        else if (what < 650)
            step_send(l, worker);
        else if (what < 900)
            step_commit(l, worker);
        else if (what < 940)
            step_window(l);
        else if (what < 970)
            step_unsend(l, worker);
        else if (what < 998)
            step_reroute(l);
        else
            step_reset(l);
        model_advance();
        compare(l);
    }
    for (unsigned worker = 0; worker < model.workers; worker++) { /* and in the end all of it is written */
        step_decide(l);
        while (model_find(worker, false, 0) != NULL)
            step_send(l, worker);
        while (model_find(worker, true, 0) != NULL)
            step_commit(l, worker);
    }
    model_advance();
    compare(l);
    assert_int_equal(ledger_record_count(l), 0);
    assert_int_equal(ledger_used_bytes(l), 0);
}

#define ON_A_RING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_RING(window_grows_shrinks_is_skipped_and_cleared),
        cmocka_unit_test(size_is_whole_pages),
        ON_A_RING(cleared_window_leaves_records_alone),
        ON_A_RING(what_wraps_is_contiguous),
        ON_A_RING(full_ring_has_no_room_until_its_oldest_is_committed),
        ON_A_RING(tiny_frames_fill_the_ring_by_their_number),
        cmocka_unit_test(records_grow_and_keep_order_and_bytes),
        ON_A_RING(cursor_stands_in_front_of_the_oldest_that_is_open),
        ON_A_RING(ack_commits_all_up_to_it_of_its_worker_alone),
        ON_A_RING(ack_of_what_was_never_sent_changes_nothing),
        ON_A_RING(queue_goes_on_after_it_was_empty),
        ON_A_RING(record_without_seq_holds_the_cursor_and_gives_it_none),
        ON_A_RING(what_is_done_at_once_waits_for_its_turn),
        ON_A_RING(what_is_unsent_again_begins_at_the_oldest),
        ON_A_RING(suspects_are_what_it_had),
        ON_A_RING(blame_adds_up_to_a_verdict),
        ON_A_RING(rerouted_is_what_is_open_in_order_and_none_as_sent),
        ON_A_RING(held_frame_goes_to_nobody_and_holds_the_cursor),
        ON_A_RING(held_frame_that_is_condemned_gives_no_cursor),
        ON_A_RING(held_frame_that_is_dropped_counts_only_if_told_so),
        ON_A_RING(reset_forgets_records_window_and_cursor),
        ON_A_RING(behaves_as_the_model_whatever_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
