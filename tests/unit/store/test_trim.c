/* Unit tests for what is trimmed when Redis has no room, and how much. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trim.h"

enum { MB = 1 << 20 };

/* A Redis of 480 MB without room, and a stream with 400 of them. */
static struct trim_case full(void)
{
    return (struct trim_case){.used = 475 * (int64_t)MB,
                              .max = 480 * (int64_t)MB,
                              .needed = 10 * MB,
                              .was_refused = true,
                              .of = {{400 * (int64_t)MB, 1000, 500000}, {5 * MB, 100, 1000}}};
}

static void assert_trims(const struct trim_case *c, unsigned key, int64_t keep)
{
    const struct trim_decision d = trim_decide(c);
    assert_int_equal(d.step, TRIM_ENTRIES);
    assert_int_equal(d.key, key);
    assert_int_equal(d.keep, keep);
}

static void nothing_is_trimmed_while_there_is_room_or_no_limit(void **state)
{
    (void)state;
    struct trim_case c = full();
    c.used = 470 * (int64_t)MB;
    assert_int_equal(trim_decide(&c).step, TRIM_NOTHING);
    c = full();
    c.max = 0;
    assert_int_equal(trim_decide(&c).step, TRIM_NOTHING);
    c.max = -1; /* unknown, as Redis is away */
    assert_int_equal(trim_decide(&c).step, TRIM_NOTHING);
}

static void a_redis_that_refuses_nothing_is_left_alone_until_it_is_full(void **state)
{
    (void)state;
    struct trim_case c = full();
    c.was_refused = false;
    assert_int_equal(trim_decide(&c).step, TRIM_NOTHING);
    c.used = c.max;
    assert_int_equal(trim_decide(&c).step, TRIM_ENTRIES);
    c.used = -1; /* unknown */
    assert_int_equal(trim_decide(&c).step, TRIM_NOTHING);
}

static void the_need_and_a_sixteenth_are_freed(void **state)
{
    (void)state;
    struct trim_case c = full();
    assert_trims(&c, TRIM_STREAM, 1000 - (10 + 30 - 5) * 1000 / 400 - 1);
    c.used = 520 * (int64_t)MB; /* one transaction may go beyond the limit */
    assert_trims(&c, TRIM_STREAM, 1000 - (10 + 30 + 40) * 1000 / 400 - 1);
}

static void at_most_half_goes_at_a_time_and_never_less_than_one(void **state)
{
    (void)state;
    struct trim_case c = full();
    c.used = 4000 * (int64_t)MB;
    c.of[TRIM_STREAM].bytes = 2100 * (int64_t)MB;
    assert_trims(&c, TRIM_STREAM, 499);
    c = full();
    c.of[TRIM_STREAM].entries = 1;
    assert_trims(&c, TRIM_STREAM, 0);
}

static void the_larger_stream_is_trimmed(void **state)
{
    (void)state;
    struct trim_case c = full();
    c.of[TRIM_DEAD_LETTERS].bytes = 410 * (int64_t)MB;
    c.of[TRIM_STREAM].bytes = 30 * MB;
    assert_trims(&c, TRIM_DEAD_LETTERS, 100 - 8 - 1);
}

static void what_is_beyond_the_maximum_length_goes_first(void **state)
{
    (void)state;
    struct trim_case c = full();
    c.of[TRIM_STREAM].max_len = 300;
    assert_trims(&c, TRIM_STREAM, 300);
}

static void a_stream_that_keeps_all_is_not_trimmed(void **state)
{
    (void)state;
    struct trim_case c = full();
    c.of[TRIM_STREAM].max_len = 0;
    assert_int_equal(trim_decide(&c).step, TRIM_KEEPS_ALL);
}

static void streams_that_are_not_the_cause_are_not_trimmed(void **state)
{
    (void)state;
    struct trim_case c = full();
    c.of[TRIM_STREAM].bytes = 230 * (int64_t)MB;
    assert_int_equal(trim_decide(&c).step, TRIM_NOT_OURS);
    c.of[TRIM_STREAM].bytes = -1; /* Redis does not tell */
    assert_int_equal(trim_decide(&c).step, TRIM_NOT_OURS);
    c = full();
    c.of[TRIM_STREAM].entries = -1;
    assert_int_equal(trim_decide(&c).step, TRIM_NOT_OURS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_trimmed_while_there_is_room_or_no_limit),
        cmocka_unit_test(a_redis_that_refuses_nothing_is_left_alone_until_it_is_full),
        cmocka_unit_test(the_need_and_a_sixteenth_are_freed),
        cmocka_unit_test(at_most_half_goes_at_a_time_and_never_less_than_one),
        cmocka_unit_test(the_larger_stream_is_trimmed),
        cmocka_unit_test(what_is_beyond_the_maximum_length_goes_first),
        cmocka_unit_test(a_stream_that_keeps_all_is_not_trimmed),
        cmocka_unit_test(streams_that_are_not_the_cause_are_not_trimmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
