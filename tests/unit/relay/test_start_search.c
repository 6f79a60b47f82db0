/* Looking for an event of a certain age in a sequence that is not known: against a made-up relay. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "relay/start_search.h"

/* Event `seq` happened at second seq / rate. Each wrong_every-th event tells a time that is wrong by wrong_us. */
struct relay {
    int64_t oldest, newest, rate;
    int64_t wrong_every, wrong_us;
    int64_t more; /* events that come while it is read */
};

static int64_t time_us(const struct relay *r, int64_t seq)
{
    return seq * 1000000 / r->rate;
}

static int64_t told_us(const struct relay *r, int64_t seq)
{
    return time_us(r, seq) + (r->wrong_every > 0 && seq % r->wrong_every == 0 ? r->wrong_us : 0);
}

/* One connection, from `first` to the live end; then nothing more comes, and the clock ticks. */
static enum start_verdict connect_at(struct start_search *s, const struct relay *r, int64_t first)
{
    start_search_connected(s);
    for (int64_t seq = first; seq <= r->newest + r->more; seq++) {
        enum start_verdict verdict = start_search_judge(s, seq, told_us(r, seq));
        if (verdict != START_SKIP)
            return verdict;
    }
    assert_false(start_search_tick(s)); /* more might come */
    assert_true(start_search_tick(s));
    return START_RETRY;
}

/* Where reading begins; *attempts counts connections. */
static int64_t search(const struct relay *r, int64_t wanted_us, int *attempts)
{
    struct start_search s;
    start_search_begin(&s, wanted_us);
    for (*attempts = 1; *attempts < 50; ++*attempts) {
        int64_t first = r->newest;
        struct optional cursor = start_search_cursor(&s);
        if (cursor.is_known)
            first = cursor.value + 1 < r->oldest ? r->oldest : cursor.value + 1;
        if (connect_at(&s, r, first) == START_FOUND) {
            assert_false(s.is_on);
            return first;
        }
    }
    fail_msg("no end after 50 connections");
    return 0;
}

static void beginning_is_old_enough_and_not_far_too_old(void **state)
{
    (void)state;
    const struct relay r = {.oldest = 1000000000, .newest = 1300000000, .rate = 1000};
    for (int64_t behind_s = 1; behind_s < 250000; behind_s *= 3) {
        int attempts;
        int64_t wanted = time_us(&r, r.newest) - behind_s * 1000000;
        int64_t first = search(&r, wanted, &attempts);
        assert_true(time_us(&r, first) <= wanted);
        assert_true(r.newest - first <= 5 * (behind_s * r.rate + 4096));
        assert_in_range(attempts, 1, 12);
    }
}

/* Every third event is years too old or too new, and every event that the search asks for first, in the worst case. */
static void wrong_times_do_not_decide(void **state)
{
    (void)state;
    struct relay r = {.oldest = 1000000000, .newest = 1300000000, .rate = 1000, .wrong_every = 3};
    for (int years = -5; years <= 5; years += 10)
        for (int64_t behind_s = 1; behind_s < 80000; behind_s *= 3)
            for (int64_t shift = 0; shift < 3; shift++) {
                int attempts;
                struct relay shifted = r;
                shifted.newest += shift;
                shifted.wrong_us = years * INT64_C(31536000000000);
                int64_t wanted = time_us(&shifted, shifted.newest) - behind_s * 1000000;
                int64_t first = search(&shifted, wanted, &attempts);
                int64_t sample_us = START_SAMPLE * 1000000 / r.rate; /* what lies within it may go either way */
                assert_true(time_us(&shifted, first) <= wanted + sample_us || first == r.oldest);
                assert_in_range(attempts, 1, 20);
            }
}

static void a_quiet_relay_is_believed_after_a_second_without_events(void **state)
{
    (void)state;
    const struct relay r = {.oldest = 9000, .newest = 9005, .rate = 1};
    int attempts;
    assert_int_equal(search(&r, time_us(&r, 9010), &attempts), 9000);
    assert_int_equal(attempts, 3); /* the live end, the oldest, and the oldest again, confirmed */
}

static void relay_that_is_behind_is_read_from_its_live_end(void **state)
{
    (void)state;
    const struct relay r = {.oldest = 1, .newest = 5000000, .rate = 1000, .more = START_SAMPLE};
    int attempts;
    assert_int_equal(search(&r, time_us(&r, r.newest) + 1000000, &attempts), r.newest);
    assert_int_equal(attempts, 2); /* it is confirmed */
}

static void relay_that_has_nothing_so_old_is_read_from_its_oldest(void **state)
{
    (void)state;
    const struct relay young = {.oldest = 1, .newest = 100, .rate = 1};
    const struct relay kept = {.oldest = 900000, .newest = 1000000, .rate = 1000};
    int attempts;
    assert_int_equal(search(&young, -1000000, &attempts), 1);
    assert_int_equal(search(&kept, 0, &attempts), 900000);
    assert_in_range(attempts, 1, 10);
}

/* Whatever numbers a relay makes up, it ends. */
static void relay_of_absurd_numbers_is_not_followed_for_ever(void **state)
{
    (void)state;
    struct start_search s;
    int64_t seq = INT64_MAX;
    struct optional cursor = optional_none();
    int attempts = 0;
    start_search_begin(&s, 0);
    while (start_search_judge(&s, seq--, 1) == START_RETRY && attempts < 100) {
        start_search_connected(&s);
        attempts++;
        cursor = start_search_cursor(&s);
        assert_true(cursor.is_known);
        assert_true(cursor.value >= 0);
    }
    assert_in_range(attempts, 1, 40);
    assert_int_equal(cursor.value, 0); /* it was asked for all that it has */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beginning_is_old_enough_and_not_far_too_old),
        cmocka_unit_test(wrong_times_do_not_decide),
        cmocka_unit_test(a_quiet_relay_is_believed_after_a_second_without_events),
        cmocka_unit_test(relay_that_is_behind_is_read_from_its_live_end),
        cmocka_unit_test(relay_that_has_nothing_so_old_is_read_from_its_oldest),
        cmocka_unit_test(relay_of_absurd_numbers_is_not_followed_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
