/* Times of events, compared with known dates. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/human.h"
#include "base/rfc3339.h"

static int64_t parsed(const char *text)
{
    int64_t us = -1;
    assert_true(rfc3339_parse(text, strlen(text), &us));
    return us;
}

static void known_moments_are_read(void **state)
{
    (void)state;
    assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(parsed("2000-02-29T12:00:00Z"), 951825600 * INT64_C(1000000));
    assert_int_equal(parsed("2026-01-02T03:04:05.678Z"), 1767323045678 * INT64_C(1000));
    assert_int_equal(parsed("9999-12-31T23:59:59Z"), 253402300799 * INT64_C(1000000));
    assert_int_equal(parsed("2016-12-31T23:59:60Z"), parsed("2017-01-01T00:00:00Z"));
}

static void offsets_move_the_moment(void **state)
{
    (void)state;
    assert_int_equal(parsed("2026-01-02T12:04:05+09:00"), parsed("2026-01-02T03:04:05Z"));
    assert_int_equal(parsed("2026-01-01T23:34:05-03:30"), parsed("2026-01-02T03:04:05Z"));
    assert_int_equal(parsed("2026-01-02t03:04:05z"), parsed("2026-01-02T03:04:05Z"));
}

static void fractions_count_to_the_microsecond(void **state)
{
    (void)state;
    int64_t whole = parsed("2026-01-02T03:04:05Z");
    assert_int_equal(parsed("2026-01-02T03:04:05.1Z"), whole + 100000);
    assert_int_equal(parsed("2026-01-02T03:04:05.000001Z"), whole + 1);
    assert_int_equal(parsed("2026-01-02T03:04:05.123456789Z"), whole + 123456);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "yesterday",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "9999-12-31T23:59:60Z", /* the year 10000 */
        "9999-12-31T23:59:59-00:01",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2100-02-29T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05+9:00",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05ZZ",
        "2026-01-02T03:04:05+09:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "-026-01-02T03:04:05Z",
        "2026-01-02T03:04:0 Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us;
        if (rfc3339_parse(bad[i], strlen(bad[i]), &us))
            fail_msg("accepted '%s'", bad[i]);
    }
}

static void traffic_read_as_people_write_them(void **state)
{
    (void)state;
    char out[HUMAN_BYTES];
    assert_string_equal(human_count(0, out), "0");
    assert_string_equal(human_count(999, out), "999");
    assert_string_equal(human_count(1000, out), "1,000");
    assert_string_equal(human_count(1234567, out), "1,234,567");
    assert_string_equal(human_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
    assert_string_equal(human_duration(0, out), "0 s");
    assert_string_equal(human_duration(99, out), "99 s");
    assert_string_equal(human_duration(300, out), "5 min");
    assert_string_equal(human_duration(12600, out), "3.5 h");
    assert_string_equal(human_duration(259200, out), "3.0 days");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_are_read),
        cmocka_unit_test(offsets_move_the_moment),
        cmocka_unit_test(fractions_count_to_the_microsecond),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(traffic_read_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
