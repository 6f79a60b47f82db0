/* Repeated lines are folded in bounded memory, and every line is counted. All processes share the newest lines. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log_fold.h"
#include "base/log_shared.h"

enum { MINUTE = 60000 };

static struct log_folds folds;
static struct log_fold evicted;

static bool pass(const char *text, int64_t now)
{
    return log_fold_pass(&folds, LOG_LEVEL_ERROR, text, now, &evicted);
}

static int begin(void **state)
{
    (void)state;
    folds = (struct log_folds){0};
    return 0;
}

static void test_a_burst_passes_and_the_rest_is_counted_and_told(void **state)
{
    (void)state;
    struct log_fold told;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(pass("disk full", i), i < LOG_BURST);
    assert_false(log_fold_due(&folds, MINUTE - 1, &told));
    assert_true(log_fold_due(&folds, MINUTE, &told));
    assert_int_equal(told.held_back, 1000 - LOG_BURST);
    assert_string_equal(told.text, "disk full");
    assert_int_equal(told.level, LOG_LEVEL_ERROR);
    assert_false(log_fold_due(&folds, MINUTE, &told));
    assert_true(pass("disk full", MINUTE + 1));
}

static void test_lines_that_take_turns_are_folded_each(void **state)
{
    (void)state;
    struct log_fold told;
    int written = 0;
    for (int i = 0; i < 100; i++)
        written += pass("one", i) + pass("another", i);
    assert_int_equal(written, 2 * LOG_BURST);
    for (int i = 0; i < 2; i++) {
        assert_true(log_fold_due(&folds, 2 * MINUTE, &told));
        assert_int_equal(told.held_back, 100 - LOG_BURST);
    }
    assert_false(log_fold_due(&folds, 2 * MINUTE, &told));
}

static void test_rare_repetitions_are_all_written(void **state)
{
    (void)state;
    struct log_fold told;
    for (int i = 0; i < 50; i++)
        assert_true(pass("once a while", (int64_t)i * MINUTE / LOG_BURST));
    assert_false(log_fold_due(&folds, 100 * MINUTE, &told));
}

static void test_levels_are_told_apart(void **state)
{
    (void)state;
    for (int i = 0; i < LOG_BURST; i++)
        assert_true(pass("same", i));
    assert_false(pass("same", 5));
    assert_true(log_fold_pass(&folds, LOG_LEVEL_WARN, "same", 5, &evicted));
}

static void test_many_different_lines_pass_and_what_was_counted_is_not_lost(void **state)
{
    (void)state;
    char text[32];
    for (int i = 0; i < 10; i++)
        pass("folded", 0);
    uint64_t told = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "line %d", i);
        assert_true(pass(text, i + 1));
        told += evicted.held_back;
    }
    assert_int_equal(told, 10 - LOG_BURST);
}

static void test_newest_lines_of_all_processes_are_read_newest_first(void **state)
{
    (void)state;
    struct log_recent lines[LOG_RECENT_LINES];
    assert_int_equal(log_recent_read(lines, LOG_RECENT_LINES), 0);
    log_recent_add(1, LOG_LEVEL_WARN, 1, "nobody", "before there is a ring");
    log_share();
    assert_int_equal(log_recent_read(lines, LOG_RECENT_LINES), 0);
    log_recent_add(2, LOG_LEVEL_WARN, 7, "master", "first");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        log_recent_add(3, LOG_LEVEL_ERROR, 8, "worker-0", "sec\nond\xff");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(log_recent_read(lines, LOG_RECENT_LINES), 2);
    assert_string_equal(lines[0].text, "sec?ond?");
    assert_string_equal(lines[0].process, "worker-0");
    assert_int_equal(lines[0].level, LOG_LEVEL_ERROR);
    assert_string_equal(lines[1].text, "first");
    for (int i = 0; i < 200; i++)
        log_recent_add(4 + i, LOG_LEVEL_WARN, 9, "master", "more");
    assert_int_equal(log_recent_read(lines, LOG_RECENT_LINES), LOG_RECENT_LINES);
    assert_int_equal(lines[0].time_us, 203);
    assert_int_equal(lines[LOG_RECENT_LINES - 1].time_us, 203 - LOG_RECENT_LINES + 1);
    assert_int_equal(log_recent_read(lines, 3), 3);
}

static void test_loss_of_syslog_is_told_once(void **state)
{
    (void)state;
    assert_false(log_take_syslog_loss());
    log_note_syslog_loss();
    assert_true(log_take_syslog_loss());
    assert_false(log_take_syslog_loss());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_burst_passes_and_the_rest_is_counted_and_told, begin),
        cmocka_unit_test_setup(test_lines_that_take_turns_are_folded_each, begin),
        cmocka_unit_test_setup(test_rare_repetitions_are_all_written, begin),
        cmocka_unit_test_setup(test_levels_are_told_apart, begin),
        cmocka_unit_test_setup(test_many_different_lines_pass_and_what_was_counted_is_not_lost, begin),
        cmocka_unit_test(test_newest_lines_of_all_processes_are_read_newest_first),
        cmocka_unit_test(test_loss_of_syslog_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
