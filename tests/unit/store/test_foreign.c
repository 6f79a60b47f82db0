/* Unit tests for the entries of another writer: when they are found, and what is no ground for an alarm. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "foreign.h"

static struct store_tally tally(int s, uint64_t written, uint64_t in_flight, uint64_t era)
{
    return (struct store_tally){.written = written, .in_flight = in_flight, .era = era, .ms = (int64_t)s * 1000};
}

/* A run of seconds: each adds `ours` and `foreign` entries; ours are counted `late` seconds later, and in flight until
 * then. Returns what was found in all. */
static int64_t run(int seconds, int64_t ours, int64_t foreign, int late)
{
    struct foreign_window w = {0};
    int64_t found = 0;
    for (int s = late + 1; s <= seconds; s++) {
        uint64_t written = (uint64_t)(ours * (s - late));
        uint64_t in_flight = (uint64_t)(ours * (late + 1));
        struct store_tally asked = tally(s - 1, written - (uint64_t)ours, in_flight, 1);
        struct store_tally now = tally(s, written, in_flight, 1);
        found += foreign_judge(&w, (ours + foreign) * s, &asked, &now);
    }
    return found;
}

static void our_own_entries_are_not_foreign_however_late_they_are_counted(void **state)
{
    (void)state;
    for (int late = 0; late < 30; late++)
        assert_int_equal(run(200, 1000, 0, late), 0);
}

static void another_writers_entries_are_found(void **state)
{
    (void)state;
    assert_in_range(run(50, 0, 100, 0), 4900, 4900);
    assert_in_range(run(50, 100, 100, 0), 4500, 4900);
}

static void few_entries_or_few_seconds_are_no_alarm(void **state)
{
    (void)state;
    assert_int_equal(run(50, 100, 0, 0), 0);
    assert_int_equal(run(5, 0, 100, 0), 0);
    struct foreign_window w = {0};
    for (int s = 1; s < 50; s++) {
        struct store_tally asked = tally(s - 1, 0, 0, 1), now = tally(s, 0, 0, 1);
        assert_int_equal(foreign_judge(&w, s > 1 ? 19 : 0, &asked, &now), 0);
    }
}

static void a_new_era_or_a_smaller_count_begins_a_new_window(void **state)
{
    (void)state;
    struct foreign_window w = {0};
    for (int s = 1; s < 100; s++) { /* each worker loses the count of 1000 entries; Redis goes back once */
        struct store_tally asked = tally(s - 1, 0, 0, (uint64_t)(s - 1) / 4), now = tally(s, 0, 0, (uint64_t)s / 4);
        assert_int_equal(foreign_judge(&w, s / 4 * 1000 - (s > 50 ? 5000 : 0), &asked, &now), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_entries_are_not_foreign_however_late_they_are_counted),
        cmocka_unit_test(another_writers_entries_are_found),
        cmocka_unit_test(few_entries_or_few_seconds_are_no_alarm),
        cmocka_unit_test(a_new_era_or_a_smaller_count_begins_a_new_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
