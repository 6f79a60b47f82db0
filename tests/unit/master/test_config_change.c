/* Unit tests for what another configuration asks of a running master. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "master/config_change.h"

static unsigned told;

static void count(const struct setting *row)
{
    (void)row;
    told++;
}

static struct config *defaults(void)
{
    struct error_list wrong = {0};
    clearenv(); /* the tests' own variables begin as those of the daemon do */
    struct config *c = config_read(NULL, &wrong);
    assert_non_null(c);
    assert_int_equal(wrong.count, 0);
    return c;
}

static void set_text(char **field, const char *value)
{
    free(*field);
    *field = strdup(value);
    assert_non_null(*field);
}

static void same_values_ask_for_nothing(void **state)
{
    (void)state;
    struct config *a = defaults(), *b = defaults();
    const struct config_change nothing = {0}, change = config_compare(a, b);
    assert_memory_equal(&change, &nothing, sizeof change);
    config_free(a);
    config_free(b);
}

static void each_part_is_told_by_itself(void **state)
{
    (void)state;
    struct config *a = defaults(), *b = defaults();
    b->workers = 7;
    assert_true(config_compare(a, b).workers);
    assert_false(config_compare(a, b).redis || config_compare(a, b).relay);
    b->workers = a->workers;
    set_text(&b->relay, "wss://other.example");
    assert_true(config_compare(a, b).relay);
    assert_false(config_compare(a, b).workers);
    set_text(&b->relay, a->relay);
    set_text(&b->redis, "redis://other.example"); /* workers and the master connect there */
    assert_true(config_compare(a, b).redis && config_compare(a, b).workers);
    set_text(&b->redis, a->redis);
    set_text(&b->cursor_key, "other"); /* where the relay's cursor is saved */
    assert_true(config_compare(a, b).redis && config_compare(a, b).relay);
    set_text(&b->cursor_key, a->cursor_key);
    b->log_level++;
    assert_true(config_compare(a, b).log_level);
    assert_false(config_compare(a, b).log_format || config_compare(a, b).log_file);
    config_free(a);
    config_free(b);
}

static void keys_that_need_a_restart_keep_their_values(void **state)
{
    (void)state;
    struct config *old = defaults(), *fresh = defaults();
    told = 0;
    fresh->ring_size *= 2;                       /* a number */
    set_text(&fresh->progress_key, "other");     /* a text */
    fresh->sandbox = CONFIG_SANDBOX_OFF;         /* a choice */
    fresh->batch_events = 7;                     /* reloadable */
    config_keep_fixed(fresh, old, count);
    assert_int_equal(told, 3);
    assert_int_equal(fresh->ring_size, old->ring_size);
    assert_string_equal(fresh->progress_key, old->progress_key);
    assert_int_equal(fresh->sandbox, old->sandbox);
    assert_int_equal(fresh->batch_events, 7);
    config_free(old);
    config_free(fresh);
}

static void log_file_that_the_daemon_chose_stays(void **state)
{
    (void)state;
    struct config *old = defaults(), *fresh = defaults();
    told = 0;
    set_text(&old->log_file, "/var/log/chosen");
    config_keep_fixed(fresh, old, count);
    assert_string_equal(fresh->log_file, "/var/log/chosen");
    assert_int_equal(told, 0);
    config_free(old);
    config_free(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_values_ask_for_nothing),
        cmocka_unit_test(each_part_is_told_by_itself),
        cmocka_unit_test(keys_that_need_a_restart_keep_their_values),
        cmocka_unit_test(log_file_that_the_daemon_chose_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
