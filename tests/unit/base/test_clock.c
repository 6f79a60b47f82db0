/* clock_format_utc() writes the same as the C library. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static void assert_like_library(int64_t seconds)
{
    char expected[64], got[CLOCK_TEXT_BYTES];
    struct tm utc;
    time_t t = (time_t)seconds;
    size_t n = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", gmtime_r(&t, &utc));
    snprintf(expected + n, sizeof expected - n, ".%03dZ", (int)(seconds % 1000));
    assert_string_equal(clock_format_utc(seconds * 1000000 + seconds % 1000 * 1000 + 999, got), expected);
}

static void dates_are_those_of_the_library(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 400 * 366; day++)
        assert_like_library(day * 86400 + day * 7919 % 86400);
    for (int64_t second = 1709164800 - 5; second < 1709251200 + 86400 + 5; second += 601) /* around Feb 29th, 2024 */
        assert_like_library(second);
}

static void edges_are_written_out(void **state)
{
    (void)state;
    char got[CLOCK_TEXT_BYTES];
    assert_string_equal(clock_format_utc(0, got), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_format_utc(INT64_C(1709251199999999), got), "2024-02-29T23:59:59.999Z");
    assert_string_equal(clock_format_utc(INT64_C(4107542400000000), got), "2100-03-01T00:00:00.000Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_those_of_the_library),
        cmocka_unit_test(edges_are_written_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
