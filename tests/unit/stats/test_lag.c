/* Lag and time to live, from what workers say. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/lag.h"

#define S INT64_C(1000000)
#define NOW (INT64_C(1800000000) * S)

static void assert_near(double value, double expected)
{
    if (value < expected - 0.01 || value > expected + 0.01)
        fail_msg("%g, expected %g", value, expected);
}

static void before_the_first_commit_nothing_is_known(void **state)
{
    (void)state;
    struct lag_memory m = {0};
    const struct lag_worker idle[2] = {{0}, {0}}, busy[1] = {{.queued = 10}};
    assert_true(lag_now(&m, idle, 2, true, NOW) < 0);
    assert_true(lag_now(&m, busy, 1, false, NOW) < 0);
    assert_true(lag_now(&m, busy, 0, true, NOW) < 0);
}

static void worker_that_is_furthest_behind_counts(void **state)
{
    (void)state;
    struct lag_memory m = {0};
    const struct lag_worker workers[] = {{2 * S, NOW - S, 1}, {90 * S, NOW - S, 1}, {S, NOW, 0}};
    assert_near(lag_now(&m, workers, 3, true, NOW), 90);
}

static void event_of_tomorrow_is_no_lag(void **state)
{
    (void)state;
    struct lag_memory m = {0};
    const struct lag_worker w = {-86400 * S, NOW, 0};
    assert_near(lag_now(&m, &w, 1, true, NOW), 0);
}

static void work_that_is_not_committed_makes_it_grow(void **state)
{
    (void)state;
    struct lag_memory m = {0};
    struct lag_worker w = {S, NOW, 5};
    assert_near(lag_now(&m, &w, 1, true, NOW), 1);
    assert_near(lag_now(&m, &w, 1, true, NOW + 10 * S), 11);
    w.commit_us = NOW + 11 * S; /* it goes on */
    assert_near(lag_now(&m, &w, 1, true, NOW + 11 * S), 1);
}

static void idle_worker_does_not_count_as_stuck_by_its_first_frame(void **state)
{
    (void)state;
    struct lag_memory m = {0};
    struct lag_worker w = {S, NOW, 0};
    lag_now(&m, &w, 1, true, NOW);
    w.queued = 1;
    assert_near(lag_now(&m, &w, 1, true, NOW + 30 * S), 1);
}

static void relay_that_is_away_makes_it_grow_and_one_that_is_silent_unknown(void **state)
{
    (void)state;
    struct lag_memory m = {0};
    const struct lag_worker w = {S, NOW, 0};
    assert_near(lag_now(&m, &w, 1, false, NOW + 3600 * S), 3601);
    assert_near(lag_now(&m, &w, 1, true, NOW + 59 * S), 1);
    assert_true(lag_now(&m, &w, 1, true, NOW + 61 * S) < 0);
}

static void idle_worker_with_an_old_figure_is_passed_over(void **state)
{
    (void)state;
    struct lag_memory m = {0};
    struct lag_worker workers[] = {{5000 * S, NOW - 30 * S, 0}, {100 * S, NOW, 0}};
    assert_near(lag_now(&m, workers, 2, true, NOW), 100);
    workers[0].commit_us = NOW - S;
    assert_near(lag_now(&m, workers, 2, true, NOW), 5000);
}

static void time_to_live_follows_the_rate_of_the_last_seconds(void **state)
{
    (void)state;
    double lags[60];
    for (int i = 0; i < 60; i++)
        lags[i] = 1000 - 10.0 * i;
    assert_near(lag_time_to_live(lags, 60), 41); /* 410 s left at 10 s a second */
    assert_near(lag_time_to_live(lags, 5), 96);
    assert_true(lag_time_to_live(lags, 4) < 0); /* too early to tell */
    assert_true(lag_time_to_live(lags, 0) < 0);
}

static void time_to_live_is_not_told_where_there_is_none(void **state)
{
    (void)state;
    const double live[] = {9, 8, 7, 6, 5, 4, 3}, even[] = {50, 50, 50, 50, 50, 50, 50};
    const double away[] = {50, 51, 52, 53, 54, 55}, slow[] = {1e7, 1e7 - .1, 1e7 - .2, 1e7 - .3, 1e7 - .4, 1e7 - .5};
    assert_true(lag_time_to_live(live, 7) < 0);
    assert_true(lag_time_to_live(even, 7) < 0);
    assert_true(lag_time_to_live(away, 6) < 0);
    assert_true(lag_time_to_live(slow, 6) < 0);
}

static void another_catch_up_is_estimated_by_itself(void **state)
{
    (void)state;
    const double lags[] = {3, 2, 1, 600, 580, 560, 540, 520};
    assert_near(lag_time_to_live(lags, 8), 26);
    const double gap[] = {900, LAG_UNKNOWN, 600, 580, 560, 540, 520};
    assert_near(lag_time_to_live(gap, 7), 26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_commit_nothing_is_known),
        cmocka_unit_test(worker_that_is_furthest_behind_counts),
        cmocka_unit_test(event_of_tomorrow_is_no_lag),
        cmocka_unit_test(work_that_is_not_committed_makes_it_grow),
        cmocka_unit_test(idle_worker_does_not_count_as_stuck_by_its_first_frame),
        cmocka_unit_test(relay_that_is_away_makes_it_grow_and_one_that_is_silent_unknown),
        cmocka_unit_test(idle_worker_with_an_old_figure_is_passed_over),
        cmocka_unit_test(time_to_live_follows_the_rate_of_the_last_seconds),
        cmocka_unit_test(time_to_live_is_not_told_where_there_is_none),
        cmocka_unit_test(another_catch_up_is_estimated_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
