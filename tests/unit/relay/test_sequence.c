/* Unit tests for the rules about the relay's sequence: each row of the table in doc/running.md, and random streams of
 * messages against a naive model of the same rules. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "relay/sequence.h"

enum { NO_SEQ = -1, ENOUGH = 1 /* an id for records */ };

static struct frame_peek event(int64_t seq)
{
    return (struct frame_peek){
        .kind = FRAME_COMMIT, .has_seq = seq >= 0, .seq = seq, .did = {(const uint8_t *)"did:plc:a", 9}};
}

static struct frame_peek message(enum frame_kind kind, const char *name)
{
    return (struct frame_peek){.kind = kind, .name = {(const uint8_t *)name, strlen(name)}};
}

static struct sequence_input input(const struct frame_peek *peek)
{
    return (struct sequence_input){.peek = peek, .search = SEARCH_TAKE, .is_wanted = true, .has_room = true};
}

/* Decides and applies, as the caller does. */
static struct sequence_decision pass(struct sequence *s, int64_t seq)
{
    struct frame_peek peek = event(seq);
    struct sequence_input in = input(&peek);
    struct sequence_decision d = sequence_decide(s, &in);
    sequence_apply(s, &in, &d, d.action == SEQUENCE_HOLD ? ENOUGH : 0);
    return d;
}

/* A connection that has taken one event, seq. */
static struct sequence running_at(int64_t seq)
{
    struct sequence s = {0};
    sequence_continue_at(&s, seq - 1);
    sequence_connected(&s);
    assert_int_equal(pass(&s, seq).action, SEQUENCE_TAKE);
    return s;
}

static void first_event_ever_begins_the_sequence_in_front_of_it(void **state)
{
    (void)state;
    struct sequence s = {0};
    sequence_connected(&s);
    struct sequence_decision d = pass(&s, 4000);
    assert_int_equal(d.action, SEQUENCE_TAKE);
    assert_true(d.begins);
    assert_true(optional_is(s.begun, 3999));
    assert_true(optional_is(sequence_cursor(&s), 3999));
    assert_false(pass(&s, 4001).begins);
}

static void first_event_behind_a_cursor_begins_nothing(void **state)
{
    (void)state;
    struct sequence s = {0};
    sequence_continue_at(&s, 3999);
    sequence_connected(&s);
    assert_false(pass(&s, 4000).begins);
    assert_true(optional_is(sequence_cursor(&s), 3999));
}

static void seq_that_is_not_above_the_last_is_dropped(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    for (int64_t seq = 4000; seq > 3990; seq--) {
        struct sequence_decision d = pass(&s, seq);
        assert_int_equal(d.action, SEQUENCE_SKIP);
        assert_int_equal(d.reason, BECAUSE_BEHIND);
    }
    assert_true(optional_is(s.last, 4000));
    assert_int_equal(pass(&s, 4001).action, SEQUENCE_TAKE);
}

static void long_run_of_old_seqs_is_another_sequence(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    for (int i = 0; i < SEQUENCE_SLACK; i++)
        assert_int_equal(pass(&s, 1 + i).action, SEQUENCE_SKIP);
    struct sequence_decision d = pass(&s, 1 + SEQUENCE_SLACK);
    assert_int_equal(d.action, SEQUENCE_RESET);
    assert_int_equal(d.reason, BECAUSE_WENT_BACK);
}

static void one_new_seq_ends_a_run_of_old_ones(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    for (int i = 0; i < SEQUENCE_SLACK; i++)
        pass(&s, 1 + i);
    assert_int_equal(pass(&s, 4001).action, SEQUENCE_TAKE);
    assert_int_equal(pass(&s, 5).action, SEQUENCE_SKIP);
}

static void first_seq_far_below_the_cursor_is_another_sequence(void **state)
{
    (void)state;
    static const struct {
        int64_t cursor, seq;
        enum sequence_action action;
    } rows[] = {
        {1000000, 999000, SEQUENCE_SKIP}, {1000000, 998999, SEQUENCE_RESET}, /* by more than the slack */
        {100, 50, SEQUENCE_SKIP},         {100, 49, SEQUENCE_RESET},         /* by more than half, on a small host */
        {0, 5, SEQUENCE_TAKE},            {1000000, 1000005, SEQUENCE_TAKE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sequence s = {0};
        sequence_continue_at(&s, rows[i].cursor);
        sequence_connected(&s);
        for (int before = SEQUENCE_CONSISTENT - 1; before > 0; before--)
            assert_int_not_equal(pass(&s, rows[i].seq - before).action, SEQUENCE_RESET);
        struct sequence_decision d = pass(&s, rows[i].seq);
        assert_int_equal(d.action, rows[i].action);
        assert_int_equal(d.reason, d.action == SEQUENCE_RESET  ? BECAUSE_FAR_BELOW
                                   : d.action == SEQUENCE_SKIP ? BECAUSE_BEHIND
                                                               : BECAUSE_WANTED);
    }
}

static void one_first_seq_far_below_the_cursor_proves_nothing(void **state)
{
    (void)state;
    struct sequence s = {0};
    sequence_continue_at(&s, 1000000);
    sequence_connected(&s);
    for (int i = 1; i < SEQUENCE_CONSISTENT; i++)
        assert_int_equal(pass(&s, 10 + i).action, SEQUENCE_SKIP);
    assert_int_equal(pass(&s, 7).action, SEQUENCE_SKIP); /* these do not ascend: the run begins anew */
    assert_int_equal(pass(&s, 1000001).action, SEQUENCE_TAKE);
    for (int i = 0; i < 2 * SEQUENCE_CONSISTENT; i++) /* the connection has begun, and not far below */
        assert_int_equal(pass(&s, 10 + i).action, SEQUENCE_SKIP);
}

/* The relay goes on behind `from`, with one wrong seq in between. */
static struct sequence after_a_wrong_jump(int64_t from, int64_t wrong)
{
    struct sequence s = running_at(from);
    assert_int_equal(pass(&s, wrong).action, SEQUENCE_TAKE);
    for (int i = 1; i < SEQUENCE_CONSISTENT; i++)
        assert_int_equal(pass(&s, from + i).action, SEQUENCE_SKIP);
    struct sequence_decision d = pass(&s, from + SEQUENCE_CONSISTENT);
    assert_int_equal(d.action, SEQUENCE_GO_BACK);
    assert_int_equal(d.reason, BECAUSE_WRONG_JUMP);
    assert_true(optional_is(s.back, from));
    sequence_reset(&s);
    sequence_continue_at(&s, from);
    sequence_connected(&s);
    return s;
}

static void a_wrong_jump_is_gone_back_from_and_not_believed_again(void **state)
{
    (void)state;
    static const int64_t wrong_by[] = {7, 500, 5000000};
    for (size_t i = 0; i < sizeof wrong_by / sizeof wrong_by[0]; i++) {
        int64_t wrong = 4000 + wrong_by[i];
        struct sequence s = after_a_wrong_jump(4000, wrong);
        assert_int_equal(pass(&s, wrong).action, SEQUENCE_HOLD);
        assert_int_equal(pass(&s, 4001).held, HELD_IMPLAUSIBLE);
        assert_int_equal(pass(&s, 4002).action, SEQUENCE_TAKE);
        assert_int_equal(pass(&s, wrong).action, SEQUENCE_HOLD);
        assert_int_equal(pass(&s, wrong + 1).held, HELD_CONFIRMED); /* passed now: a jump like any other */
        assert_int_equal(pass(&s, wrong + 9).action, SEQUENCE_TAKE);
    }
}

static void two_wrong_jumps_in_a_row_are_gone_back_from(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    pass(&s, 5000);
    pass(&s, 6000);
    for (int i = 1; i < SEQUENCE_CONSISTENT; i++)
        pass(&s, 4000 + i);
    assert_int_equal(pass(&s, 4000 + SEQUENCE_CONSISTENT).action, SEQUENCE_GO_BACK);
    assert_true(optional_is(s.back, 4000));
}

/* The relay sends both again. Neither is believed, and each place is gone back to once. */
static void two_wrong_jumps_that_come_again_do_not_go_round_in_circles(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    pass(&s, 9000);
    pass(&s, 9001);
    for (int i = 1; i <= SEQUENCE_CONSISTENT; i++)
        pass(&s, 4000 + i);
    assert_true(optional_is(s.back, 4000));
    sequence_reset(&s);
    sequence_continue_at(&s, 4000);
    sequence_connected(&s);
    assert_int_equal(pass(&s, 9000).action, SEQUENCE_HOLD);
    assert_int_equal(pass(&s, 9001).held, HELD_IMPLAUSIBLE);
    for (int i = 1; i <= 2 * SEQUENCE_CONSISTENT; i++)
        assert_int_equal(pass(&s, 4000 + i).action, SEQUENCE_TAKE);
    /* Other wrong seqs at the same place: taken, and not gone back from a second time. */
    s = running_at(4000);
    s.went_back = optional_of(4000);
    pass(&s, 4100);
    for (int i = 1; i <= 2 * SEQUENCE_CONSISTENT; i++)
        assert_int_equal(pass(&s, 4000 + i).action, SEQUENCE_SKIP);
}

static void a_host_that_closes_each_connection_early_is_noticed(void **state)
{
    (void)state;
    struct sequence s = {0};
    sequence_continue_at(&s, 1000000);
    for (int i = 1; i < SEQUENCE_CONSISTENT; i++) {
        sequence_connected(&s);
        assert_int_equal(pass(&s, i).action, SEQUENCE_SKIP);
    }
    sequence_connected(&s);
    assert_int_equal(pass(&s, SEQUENCE_CONSISTENT).reason, BECAUSE_FAR_BELOW);
}

static void what_was_taken_before_and_behind_a_gap_may_come_again(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    for (int64_t seq = 5000; seq < 5010; seq++)
        pass(&s, seq);
    for (int64_t seq = 3990; seq <= 4000; seq++)
        assert_int_equal(pass(&s, seq).action, SEQUENCE_SKIP);
    for (int64_t seq = 5000; seq < 5010; seq++)
        assert_int_equal(pass(&s, seq).action, SEQUENCE_SKIP);
    for (int i = 1; i < SEQUENCE_CONSISTENT; i++) /* too few agree */
        assert_int_equal(pass(&s, 4500 + i).action, SEQUENCE_SKIP);
    assert_int_equal(pass(&s, 5010).action, SEQUENCE_TAKE);
}

static void a_new_sequence_forgets_a_wrong_jump(void **state)
{
    (void)state;
    struct sequence s = after_a_wrong_jump(4000, 5000000);
    sequence_reset(&s);
    sequence_continue_at(&s, 10);
    sequence_connected(&s);
    assert_int_equal(pass(&s, 100).action, SEQUENCE_TAKE);
}

static void future_cursor_is_another_sequence_where_a_cursor_was_asked_for(void **state)
{
    (void)state;
    struct frame_peek future = message(FRAME_ERROR, "FutureCursor"), slow = message(FRAME_ERROR, "ConsumerTooSlow");
    struct sequence_input in = input(&future), other = input(&slow);
    struct sequence asked = running_at(4000), live = {0}, oldest = {0};
    sequence_go_back_to(&oldest, 0);
    assert_int_equal(sequence_decide(&asked, &in).action, SEQUENCE_RESET);
    assert_int_equal(sequence_decide(&asked, &in).reason, BECAUSE_FUTURE_CURSOR);
    assert_int_equal(sequence_decide(&live, &in).action, SEQUENCE_RECONNECT);
    assert_int_equal(sequence_decide(&oldest, &in).action, SEQUENCE_RECONNECT);
    assert_int_equal(sequence_decide(&asked, &other).action, SEQUENCE_RECONNECT);
    assert_int_equal(sequence_decide(&asked, &other).reason, BECAUSE_RELAY_ERROR);
}

static void info_frames_change_nothing(void **state)
{
    (void)state;
    struct frame_peek outdated = message(FRAME_INFO, "OutdatedCursor"), other = message(FRAME_INFO, "Outdated");
    struct sequence s = running_at(4000), before = s;
    struct sequence_input in = input(&outdated), in_other = input(&other);
    struct sequence_decision d = sequence_decide(&s, &in);
    assert_int_equal(d.action, SEQUENCE_SKIP);
    assert_int_equal(d.reason, BECAUSE_OUTDATED_CURSOR);
    sequence_apply(&s, &in, &d, 0);
    assert_memory_equal(&s, &before, sizeof s);
    assert_int_equal(sequence_decide(&s, &in_other).reason, BECAUSE_INFO);
}

static void implausible_jump_is_held_and_a_higher_seq_confirms_it(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    const int64_t far = 4000 + SEQUENCE_JUMP + 1;
    assert_int_equal(pass(&s, far).action, SEQUENCE_HOLD);
    assert_true(optional_is(s.last, 4000));
    struct sequence_decision d = pass(&s, far + 1);
    assert_int_equal(d.held, HELD_CONFIRMED);
    assert_int_equal(d.action, SEQUENCE_TAKE);
    assert_true(optional_is(s.last, far + 1));
    assert_int_equal(s.held.id, 0);
}

static void largest_plausible_jump_is_taken(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    assert_int_equal(pass(&s, 4000 + SEQUENCE_JUMP).action, SEQUENCE_TAKE);
}

static void held_seq_is_implausible_where_the_sequence_goes_on_below_it(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    pass(&s, 4000 + SEQUENCE_JUMP + 1);
    struct sequence_decision d = pass(&s, 4001);
    assert_int_equal(d.held, HELD_IMPLAUSIBLE);
    assert_int_equal(d.action, SEQUENCE_TAKE);
    assert_true(optional_is(s.last, 4001));
}

static void old_seq_and_the_held_one_again_decide_nothing(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    const int64_t far = 4000 + SEQUENCE_JUMP + 1;
    pass(&s, far);
    static const int64_t seqs[] = {4000, 1, 4000 + SEQUENCE_JUMP + 1};
    for (size_t i = 0; i < sizeof seqs / sizeof seqs[0]; i++) {
        struct sequence_decision d = pass(&s, seqs[i]);
        assert_int_equal(d.action, SEQUENCE_SKIP);
        assert_int_equal(d.held, HELD_STAYS);
    }
    assert_int_equal(s.held.seq, far);
}

static void frame_without_seq_does_not_overtake_the_held_one(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    pass(&s, 4000 + SEQUENCE_JUMP + 1);
    struct sequence_decision d = pass(&s, NO_SEQ);
    assert_int_equal(d.held, HELD_IMPLAUSIBLE);
    assert_int_equal(d.action, SEQUENCE_TAKE);
    assert_true(optional_is(s.last, 4000));
}

static void second_implausible_jump_confirms_the_first_and_is_held_itself(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    pass(&s, 4000 + SEQUENCE_JUMP + 1);
    struct sequence_decision d = pass(&s, 5000 + 2 * (int64_t)SEQUENCE_JUMP + 2);
    assert_int_equal(d.held, HELD_CONFIRMED);
    assert_int_equal(d.action, SEQUENCE_HOLD);
}

static void unwanted_and_duplicate_events_count_as_done(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    struct frame_peek peek = event(4001);
    struct sequence_input in = input(&peek);
    in.is_wanted = false;
    assert_int_equal(sequence_decide(&s, &in).action, SEQUENCE_DONE);
    assert_int_equal(sequence_decide(&s, &in).reason, BECAUSE_FILTERED);
    in.is_duplicate = true;
    assert_int_equal(sequence_decide(&s, &in).reason, BECAUSE_DUPLICATE);
    struct sequence_decision d = sequence_decide(&s, &in);
    sequence_apply(&s, &in, &d, 0);
    assert_true(optional_is(s.last, 4001));
}

static void without_room_nothing_changes(void **state)
{
    (void)state;
    struct sequence s = running_at(4000);
    static const int64_t seqs[] = {4001, 4000 + SEQUENCE_JUMP + 1, NO_SEQ};
    pass(&s, 4000 + SEQUENCE_JUMP + 500);
    for (size_t i = 0; i < sizeof seqs / sizeof seqs[0]; i++) {
        struct sequence before = s;
        struct frame_peek peek = event(seqs[i]);
        struct sequence_input in = input(&peek);
        in.has_room = false;
        struct sequence_decision d = sequence_decide(&s, &in);
        assert_int_equal(d.action, SEQUENCE_WAIT);
        assert_int_equal(d.held, HELD_STAYS);
        assert_false(d.begins);
        sequence_apply(&s, &in, &d, 0);
        assert_memory_equal(&s, &before, sizeof s);
    }
    assert_int_equal(pass(&s, 3000).action, SEQUENCE_SKIP); /* it needs no room */
}

static void search_for_the_beginning_comes_first(void **state)
{
    (void)state;
    struct sequence s = running_at(4000), before = s;
    struct frame_peek peek = event(3000);
    struct sequence_input in = input(&peek);
    in.search = SEARCH_SKIP;
    assert_int_equal(sequence_decide(&s, &in).action, SEQUENCE_SKIP);
    in.search = SEARCH_RECONNECT;
    struct sequence_decision d = sequence_decide(&s, &in);
    assert_int_equal(d.action, SEQUENCE_RECONNECT);
    assert_int_equal(d.reason, BECAUSE_SEARCHING);
    sequence_apply(&s, &in, &d, 0);
    assert_memory_equal(&s, &before, sizeof s);
}

static void what_is_asked_for(void **state)
{
    (void)state;
    struct sequence s = {0};
    assert_false(sequence_asks_for(&s).is_known);
    sequence_ask_oldest(&s, true);
    assert_true(optional_is(sequence_asks_for(&s), 0));
    sequence_continue_at(&s, 7);
    assert_true(optional_is(sequence_asks_for(&s), 7));
    sequence_reset(&s);
    assert_true(optional_is(sequence_asks_for(&s), 0)); /* a reset from the oldest event */
}

static void saved_cursor_takes_the_place_of_the_first(void **state)
{
    (void)state;
    struct sequence s = {0};
    sequence_connected(&s);
    pass(&s, 10);
    assert_true(optional_is(sequence_cursor(&s), 9));
    sequence_saved(&s, 10);
    assert_true(optional_is(sequence_cursor(&s), 10));
    assert_false(s.first.is_known);
}

static void a_cursor_that_redis_does_not_have_counts_as_unsaved(void **state)
{
    (void)state;
    struct sequence s = {0};
    sequence_continue_at(&s, 5);
    sequence_continue_unsaved(&s, 7);
    assert_true(optional_is(sequence_asks_for(&s), 7));
    assert_true(optional_is(sequence_cursor(&s), 7));
    assert_false(s.saved.is_known);
    sequence_saved(&s, 7);
    assert_true(optional_is(s.saved, 7));
}

/* ---- random streams against a naive model ---- */

/* The rules, told once more without sharing anything with sequence.c: as what happens to a list of taken seqs. */
struct model {
    int64_t taken[4096];
    size_t count;
    int64_t held; /* 0: none */
    bool is_first;
    int64_t run[1001]; /* the seqs of the messages in a row that were not above the newest */
    size_t run_count;
};

static int64_t newest(const struct model *m)
{
    return m->taken[m->count - 1];
}

static void take(struct model *m, int64_t seq)
{
    m->taken[m->count++] = seq;
}

static bool ascends(const struct model *m)
{
    for (size_t i = m->run_count; i > m->run_count - (m->run_count < 5 ? m->run_count : 5) + 1; i--)
        if (m->run[i - 1] <= m->run[i - 2])
            return false;
    return m->run_count >= 5;
}

/* All of the seqs that ascend, not the newest five only. */
static bool lies_in_gap(const struct model *m)
{
    size_t first = m->run_count - 1;
    while (first > 0 && m->run[first] > m->run[first - 1])
        first--;
    for (size_t i = m->count > 8 ? m->count - 8 : 0; i + 1 < m->count; i++)
        if (m->run[first] > m->taken[i] && m->run[m->run_count - 1] < m->taken[i + 1])
            return true;
    return false;
}

static enum sequence_action expect(struct model *m, int64_t seq)
{
    int64_t last = newest(m), half = last / 2;
    bool far_below = seq >= 0 && m->is_first && last - seq > (half < 1000 ? half : 1000);
    if (seq >= 0 && (seq <= last || seq == m->held)) {
        m->run[m->run_count++] = seq;
        if (ascends(m) && far_below)
            return SEQUENCE_RESET;
        if (ascends(m) && lies_in_gap(m))
            return SEQUENCE_GO_BACK;
        m->is_first = m->is_first && far_below;
        return m->run_count > 1000 ? SEQUENCE_RESET : SEQUENCE_SKIP;
    }
    m->is_first = m->is_first && seq < 0;
    m->run_count = 0;
    if (m->held != 0 && seq > m->held)
        take(m, m->held);
    m->held = 0;
    if (seq < 0)
        return SEQUENCE_TAKE;
    if (newest(m) > 0 && seq > newest(m) + 10000000) {
        m->held = seq;
        return SEQUENCE_HOLD;
    }
    take(m, seq);
    return SEQUENCE_TAKE;
}

static int64_t random_seq(const struct model *m)
{
    static const int64_t steps[] = {1,    1,     1,       2,        7,        0,        -1,      -5,
                                    -600, -1200, 9999999, 10000000, 10000001, 10000002, 30000000};
    int64_t step = steps[random() % (sizeof steps / sizeof steps[0])];
    int64_t from = m->held != 0 && random() % 2 ? m->held : newest(m);
    if (m->run_count > 0 && random() % 4 != 0) /* goes on where it is */
        return m->run[m->run_count - 1] + (int64_t)(random() % 20 > 0);
    if (m->count > 8 && random() % 10 == 0)
        return m->taken[m->count - 1 - (size_t)random() % 8] + 1;
    return random() % 20 == 0 ? NO_SEQ : from + step < 0 ? 0 : from + step;
}

static void random_streams_follow_the_model(void **state)
{
    (void)state;
    unsigned seed = (unsigned)(getenv("FIREHOSED_SEED") != NULL ? atoi(getenv("FIREHOSED_SEED")) : 20261128);
    size_t resets = 0, backs = 0;
    for (unsigned round = 0; round < 3000; round++) {
        srandom(seed + round);
        struct sequence s = {0};
        struct model m = {.taken = {random() % 5000}, .count = 1, .is_first = true};
        sequence_continue_at(&s, newest(&m));
        sequence_connected(&s);
        for (int i = 0; i < 300; i++) {
            if (random() % 50 == 0) { /* another connection: what was held is asked for again */
                sequence_forget_held(&s);
                sequence_connected(&s);
                bool was_first = m.is_first;
                m.held = 0;
                m.is_first = true;
                if (!was_first)
                    m.run_count = 0;
            }
            int64_t seq = random_seq(&m);
            enum sequence_action expected = expect(&m, seq), got = pass(&s, seq).action;
            bool ends = got == SEQUENCE_RESET || got == SEQUENCE_GO_BACK;
            if (got != expected || (!ends && s.last.value != newest(&m)))
                fail_msg("seed %u: message %d, seq %lld: action %d, expected %d; last %lld, expected %lld",
                         seed + round, i, (long long)seq, (int)got, (int)expected, (long long)s.last.value,
                         (long long)newest(&m));
            resets += got == SEQUENCE_RESET;
            backs += got == SEQUENCE_GO_BACK;
            if (ends)
                break;
        }
        for (size_t i = 1; i < m.count; i++)
            assert_true(m.taken[i] > m.taken[i - 1]);
    }
    assert_true(resets > 100 && backs > 100); /* else the streams are too tame */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_event_ever_begins_the_sequence_in_front_of_it),
        cmocka_unit_test(first_event_behind_a_cursor_begins_nothing),
        cmocka_unit_test(seq_that_is_not_above_the_last_is_dropped),
        cmocka_unit_test(long_run_of_old_seqs_is_another_sequence),
        cmocka_unit_test(one_new_seq_ends_a_run_of_old_ones),
        cmocka_unit_test(first_seq_far_below_the_cursor_is_another_sequence),
        cmocka_unit_test(one_first_seq_far_below_the_cursor_proves_nothing),
        cmocka_unit_test(a_wrong_jump_is_gone_back_from_and_not_believed_again),
        cmocka_unit_test(two_wrong_jumps_in_a_row_are_gone_back_from),
        cmocka_unit_test(two_wrong_jumps_that_come_again_do_not_go_round_in_circles),
        cmocka_unit_test(a_host_that_closes_each_connection_early_is_noticed),
        cmocka_unit_test(what_was_taken_before_and_behind_a_gap_may_come_again),
        cmocka_unit_test(a_new_sequence_forgets_a_wrong_jump),
        cmocka_unit_test(future_cursor_is_another_sequence_where_a_cursor_was_asked_for),
        cmocka_unit_test(info_frames_change_nothing),
        cmocka_unit_test(implausible_jump_is_held_and_a_higher_seq_confirms_it),
        cmocka_unit_test(largest_plausible_jump_is_taken),
        cmocka_unit_test(held_seq_is_implausible_where_the_sequence_goes_on_below_it),
        cmocka_unit_test(old_seq_and_the_held_one_again_decide_nothing),
        cmocka_unit_test(frame_without_seq_does_not_overtake_the_held_one),
        cmocka_unit_test(second_implausible_jump_confirms_the_first_and_is_held_itself),
        cmocka_unit_test(unwanted_and_duplicate_events_count_as_done),
        cmocka_unit_test(without_room_nothing_changes),
        cmocka_unit_test(search_for_the_beginning_comes_first),
        cmocka_unit_test(what_is_asked_for),
        cmocka_unit_test(saved_cursor_takes_the_place_of_the_first),
        cmocka_unit_test(a_cursor_that_redis_does_not_have_counts_as_unsaved),
        cmocka_unit_test(random_streams_follow_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
