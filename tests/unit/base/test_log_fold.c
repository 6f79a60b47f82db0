/* The log is limited by place and by bytes, and every line is counted. The newest lines are kept. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/log_fold.h"
#include "base/log_recent.h"

enum { MINUTE = 60000 };

static struct log_folds folds;
static uint64_t held_back;
static const char here[] = "a place", there[] = "another place";

static bool pass_at(const void *place, const char *text, int64_t now)
{
    return log_fold_pass(&folds, place, LOG_LEVEL_ERROR, text, now);
}

static bool pass(const char *text, int64_t now) { return pass_at(here, text, now); }

static int begin(void **state)
{
    (void)state;
    folds = (struct log_folds){0};
    return 0;
}

/* Passes `count` texts that differ by a number. Returns how many were written. */
static unsigned flood(const void *place, enum log_level level, unsigned count, int64_t now)
{
    char text[400];
    unsigned written = 0;
    for (unsigned i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%0300d: jump %u", 0, i);
        written += log_fold_pass(&folds, place, level, text, now);
    }
    return written;
}

static void test_a_burst_passes_and_the_rest_is_counted_and_told(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(pass("disk full", i), i < LOG_BURST);
    assert_null(log_fold_due(&folds, MINUTE - 1, &held_back));
    const struct log_fold *told = log_fold_due(&folds, MINUTE, &held_back);
    assert_non_null(told);
    assert_int_equal(held_back, 1000 - LOG_BURST);
    assert_string_equal(told->text, "disk full");
    assert_int_equal(told->level, LOG_LEVEL_ERROR);
    assert_null(log_fold_due(&folds, MINUTE, &held_back));
    assert_true(pass("disk full", MINUTE + 1));
}

static void test_lines_that_take_turns_are_folded_each(void **state)
{
    (void)state;
    int written = 0;
    for (int i = 0; i < 100; i++)
        written += pass("one", i) + pass("another", i);
    assert_int_equal(written, 2 * LOG_BURST);
    assert_non_null(log_fold_due(&folds, 2 * MINUTE, &held_back));
    assert_int_equal(held_back, 200 - 2 * LOG_BURST);
    assert_null(log_fold_due(&folds, 2 * MINUTE, &held_back));
}

static void test_rare_repetitions_are_all_written(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        assert_true(pass("once a while", (int64_t)i * MINUTE / LOG_BURST));
    assert_null(log_fold_due(&folds, 100 * MINUTE, &held_back));
}

static void test_texts_that_differ_by_a_number_are_limited_by_their_place(void **state)
{
    (void)state;
    assert_int_equal(flood(here, LOG_LEVEL_INFO, 100000, 0), LOG_PLACE_LINES);
    assert_int_equal(flood(there, LOG_LEVEL_WARN, 10, 0), 10);
    assert_non_null(log_fold_due(&folds, MINUTE, &held_back));
    assert_int_equal(held_back, 100000 - LOG_PLACE_LINES);
    assert_null(log_fold_due(&folds, MINUTE, &held_back));
    assert_int_equal(flood(here, LOG_LEVEL_INFO, 100, MINUTE), LOG_PLACE_LINES);
}

static void test_all_places_together_have_a_number_of_bytes_and_still_each_its_first_lines(void **state)
{
    (void)state;
    static const char places[LOG_PLACES];
    unsigned written = 0;
    for (size_t i = 0; i < LOG_PLACES - 1; i++)
        written += flood(&places[i], LOG_LEVEL_WARN, 1000, 0);
    assert_in_range(written, LOG_MINUTE_BYTES / 320, LOG_MINUTE_BYTES / 300 + LOG_BURST * LOG_PLACES);
    for (int i = 0; i < LOG_BURST; i++)
        assert_true(pass("redis: no space for the operator's events", 1));
    assert_false(pass("redis: no space for the operator's events", 1));
    uint64_t told = 0;
    while (log_fold_due(&folds, MINUTE + 1, &held_back) != NULL)
        told += held_back;
    assert_int_equal(told + written, 1000 * (LOG_PLACES - 1) + 1);
}

static void test_more_places_than_the_table_has_share_its_last_entry(void **state)
{
    (void)state;
    static const char places[2 * LOG_PLACES];
    unsigned written = 0;
    for (size_t i = 0; i < sizeof places; i++)
        written += pass_at(&places[i], "the same", 0);
    assert_int_equal(written, LOG_PLACES - 1 + LOG_BURST);
}

static void test_debug_lines_are_limited_by_bytes_alone(void **state)
{
    (void)state;
    assert_int_equal(flood(here, LOG_LEVEL_DEBUG, 500, 0), 500);
    assert_in_range(flood(here, LOG_LEVEL_DEBUG, 5000, 0), 1, LOG_MINUTE_BYTES / 300);
    assert_true(pass_at(there, "an error", 0));
}

static void add(int64_t time_us, const char *text)
{
    log_recent_add(&(struct log_line){.time_us = time_us, .level = LOG_LEVEL_WARN, .process = "master", .text = text});
}

static void test_newest_lines_are_read_newest_first(void **state)
{
    (void)state;
    struct log_recent lines[LOG_RECENT_LINES];
    assert_int_equal(log_recent_read(lines, LOG_RECENT_LINES), 0);
    add(2, "first");
    add(3, "sec\nond\xff");
    assert_int_equal(log_recent_read(lines, LOG_RECENT_LINES), 2);
    assert_string_equal(lines[0].text, "sec?ond?");
    assert_string_equal(lines[0].process, "master");
    assert_int_equal(lines[0].level, LOG_LEVEL_WARN);
    assert_string_equal(lines[1].text, "first");
    for (int i = 0; i < 200; i++)
        add(4 + i, "more");
    assert_int_equal(log_recent_read(lines, LOG_RECENT_LINES), LOG_RECENT_LINES);
    assert_int_equal(lines[0].time_us, 203);
    assert_int_equal(lines[LOG_RECENT_LINES - 1].time_us, 203 - LOG_RECENT_LINES + 1);
    assert_int_equal(log_recent_read(lines, 3), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_burst_passes_and_the_rest_is_counted_and_told, begin),
        cmocka_unit_test_setup(test_lines_that_take_turns_are_folded_each, begin),
        cmocka_unit_test_setup(test_rare_repetitions_are_all_written, begin),
        cmocka_unit_test_setup(test_texts_that_differ_by_a_number_are_limited_by_their_place, begin),
        cmocka_unit_test_setup(test_all_places_together_have_a_number_of_bytes_and_still_each_its_first_lines, begin),
        cmocka_unit_test_setup(test_more_places_than_the_table_has_share_its_last_entry, begin),
        cmocka_unit_test_setup(test_debug_lines_are_limited_by_bytes_alone, begin),
        cmocka_unit_test(test_newest_lines_are_read_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
