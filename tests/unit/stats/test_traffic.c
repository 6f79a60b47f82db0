/* Rates, lag and collections, as they come from one snapshot and go into the next. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stats/lag.h"
#include "stats/traffic.h"

#define START_MS INT64_C(5000)
#define START_US INT64_C(1800000000000000)

static void assert_near(double value, double expected)
{
    if (value < expected - 0.01 || value > expected + 0.01)
        fail_msg("%g, expected %g", value, expected);
}

/* One worker that commits 100 events of 1,000 bytes a second, each 2 s old. */
static struct snapshot after(int seconds)
{
    struct snapshot s = {.now_ms = START_MS + 1000 * seconds,
                         .now_us = START_US + 1000000 * seconds,
                         .done = 100 * (uint64_t)seconds,
                         .relay_bytes = 100000 * (uint64_t)seconds,
                         .relay_is_up = true,
                         .workers = 1};
    s.worker[0].events = s.done;
    s.worker[0].lag_us = 2000000;
    s.worker[0].commit_us = s.now_us;
    return s;
}

static struct snapshot filled(const struct traffic *t)
{
    struct snapshot s = {0};
    traffic_fill(t, &s);
    return s;
}

static void before_the_first_tick_nothing_is_known(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(START_MS);
    struct snapshot s = filled(t);
    assert_true(s.lag_s == LAG_UNKNOWN && s.eta_s == LAG_UNKNOWN);
    assert_true(s.events_per_s == 0 && s.bytes_per_s == 0 && s.worker[0].per_s == 0);
    traffic_free(t);
}

static void rates_follow_from_two_snapshots(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(START_MS);
    for (int second = 1; second <= 15; second++) {
        struct snapshot s = after(second);
        traffic_tick(t, &s);
    }
    struct snapshot s = filled(t);
    assert_near(s.events_per_s, 100);
    assert_near(s.events_per_s_10s, 100);
    assert_near(s.bytes_per_s, 100000);
    assert_near(s.worker[0].per_s, 100);
    assert_near(s.lag_s, 2);
    s = after(15);
    s.now_ms += 1000; /* a second in which nothing is committed */
    traffic_tick(t, &s);
    s = filled(t);
    assert_near(s.events_per_s, 0);
    assert_near(s.events_per_s_10s, 90);
    traffic_free(t);
}

static void events_are_counted_by_kind_and_collection(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(START_MS);
    static const char post[] = "app.bsky.feed.post/1", like[] = "app.bsky.feed.like/1";
    traffic_count(t, KIND_COMMIT, (const uint8_t *)post, sizeof post - 1);
    for (int i = 0; i < 3; i++)
        traffic_count(t, KIND_COMMIT, (const uint8_t *)like, sizeof like - 1);
    traffic_count(t, KIND_COMMIT, (const uint8_t *)"no/collection", 13);
    traffic_count(t, KIND_IDENTITY, NULL, 0);
    struct snapshot s = filled(t);
    assert_int_equal(s.kinds[KIND_COMMIT], 5);
    assert_int_equal(s.kinds[KIND_IDENTITY], 1);
    assert_int_equal(s.collections_other, 1);
    assert_int_equal(s.collection_count, 2);
    assert_string_equal(s.collections[0].name, "app.bsky.feed.like");
    assert_int_equal(s.collections[1].events, 1);
    traffic_free(t);
}

static void history_has_the_newest_second_last(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(START_MS);
    struct snapshot s = after(1);
    traffic_tick(t, &s);
    json_t *history = traffic_history_json(t, HISTORY_10_MIN);
    json_t *events = json_object_get(history, "events"), *lags = json_object_get(history, "lag");
    assert_int_equal(json_array_size(events), HISTORY_SECONDS);
    assert_int_equal(json_integer_value(json_array_get(events, HISTORY_SECONDS - 1)), 100);
    assert_true(json_real_value(json_array_get(lags, HISTORY_SECONDS - 1)) == 2);
    assert_true(json_is_null(json_array_get(lags, 0)));
    json_decref(history);
    traffic_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_tick_nothing_is_known),
        cmocka_unit_test(rates_follow_from_two_snapshots),
        cmocka_unit_test(events_are_counted_by_kind_and_collection),
        cmocka_unit_test(history_has_the_newest_second_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
