/* The figures of the last ten minutes, hour and day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/history.h"

static void add(struct history *h, double events, double lag)
{
    double values[HISTORY_SERIES] = {[HISTORY_EVENTS] = events, [HISTORY_LAG] = lag, [HISTORY_RING] = -1};
    history_add(h, values);
}

static json_t *value(json_t *json, const char *series, size_t back)
{
    json_t *list = json_object_get(json, series);
    return json_array_get(list, json_array_size(list) - 1 - back);
}

static void hour_and_day_have_the_mean_of_rates_and_the_highest_lag(void **state)
{
    (void)state;
    struct history *h = history_new();
    for (int second = 0; second < 240; second++)
        add(h, second, second < 235 ? second : -1);
    json_t *hour = history_json(h, HISTORY_1_H), *day = history_json(h, HISTORY_24_H);
    assert_int_equal(json_integer_value(json_object_get(hour, "interval_s")), 10);
    assert_int_equal(json_integer_value(json_object_get(day, "interval_s")), 240);
    assert_int_equal(json_array_size(json_object_get(hour, "events")), 360);
    assert_int_equal(json_array_size(json_object_get(day, "events")), 360);
    assert_int_equal(json_integer_value(value(hour, "events", 0)), 235); /* 234.5 */
    assert_int_equal(json_integer_value(value(hour, "events", 1)), 225);
    assert_true(json_real_value(value(hour, "lag", 0)) == 234);
    assert_int_equal(json_integer_value(value(day, "events", 0)), 120); /* 119.5 */
    assert_true(json_real_value(value(day, "lag", 0)) == 234);
    assert_true(json_is_null(value(day, "events", 1)) && json_is_null(value(hour, "events", 24)));
    assert_true(json_is_null(value(hour, "ring_percent", 0)));
    json_decref(hour);
    json_decref(day);
    history_free(h);
}

static void the_oldest_values_leave(void **state)
{
    (void)state;
    struct history *h = history_new();
    for (int second = 0; second < 90000; second++)
        add(h, second < 3600 ? 1000 : 1, 0);
    for (int span = HISTORY_10_MIN; span < HISTORY_SPANS; span++) {
        json_t *json = history_json(h, (enum history_span)span);
        size_t count = json_array_size(json_object_get(json, "events"));
        for (size_t back = 0; back < count; back++)
            assert_int_equal(json_integer_value(value(json, "events", back)), 1);
        json_decref(json);
    }
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hour_and_day_have_the_mean_of_rates_and_the_highest_lag),
        cmocka_unit_test(the_oldest_values_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
