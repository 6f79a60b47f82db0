/* When "Processed … events" is logged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "master/progress.h"

enum { STEP = 1000, START_MS = 5000 };

static struct progress fresh(uint64_t done) { return (struct progress){.done = done, .reported_ms = START_MS}; }

static void first_step_is_reported_at_once(void **state)
{
    (void)state;
    struct progress p = fresh(999);
    assert_false(progress_report(&p, STEP, START_MS + 500).is_due);
    p.done = 1234;
    struct progress_report r = progress_report(&p, STEP, START_MS + 1000);
    assert_true(r.is_due);
    assert_int_equal(r.events, 1000);
    assert_int_equal(r.per_second, 1234);
    assert_false(progress_report(&p, STEP, START_MS + 1000).is_due);
}

static void later_steps_are_reported_every_ten_seconds_at_most(void **state)
{
    (void)state;
    struct progress p = fresh(1000);
    assert_true(progress_report(&p, STEP, START_MS).is_due);
    p.done = 90500;
    assert_false(progress_report(&p, STEP, START_MS + 9999).is_due);
    struct progress_report r = progress_report(&p, STEP, START_MS + 10000);
    assert_true(r.is_due);
    assert_int_equal(r.events, 90000);
    assert_int_equal(r.per_second, 8950);
}

static void a_minute_without_a_line_brings_one_with_the_exact_number(void **state)
{
    (void)state;
    struct progress p = fresh(0);
    assert_false(progress_report(&p, STEP, START_MS + 59999).is_due);
    p.done = 7;
    struct progress_report r = progress_report(&p, STEP, START_MS + 60000);
    assert_true(r.is_due);
    assert_int_equal(r.events, 7);
    assert_int_equal(r.per_second, 0);
    assert_false(progress_report(&p, STEP, START_MS + 119999).is_due);
    assert_true(progress_report(&p, STEP, START_MS + 120000).is_due);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_step_is_reported_at_once),
        cmocka_unit_test(later_steps_are_reported_every_ten_seconds_at_most),
        cmocka_unit_test(a_minute_without_a_line_brings_one_with_the_exact_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
