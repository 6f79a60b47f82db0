/* When the stream is read for what the service before firehosed has left there. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inherited.h"

static bool wanted(enum begin_kind kind, int64_t cursor, int64_t copy, int64_t inherited, bool knows_relay)
{
    const struct begin_found found = {
        .cursor = cursor > 0 ? optional_of(cursor) : optional_none(),
        .record = {.copy = copy > 0 ? optional_of(copy) : optional_none(),
                   .inherited = inherited > 0 ? optional_of(inherited) : optional_none(),
                   .knows_relay = knows_relay},
    };
    return inherited_is_wanted(kind, &found, true);
}

static void a_first_start_without_marks_reads_the_stream(void **state)
{
    (void)state;
    assert_true(wanted(BEGIN_FIRST, 100, 0, 0, false));
    assert_true(wanted(BEGIN_FIRST, 0, 0, 0, false));
    assert_false(wanted(BEGIN_FIRST, 100, 100, 0, true)); /* our own marks tell what is there */
    assert_false(wanted(BEGIN_RELAY, 100, 0, 0, false));  /* the stream's seqs are of another relay */
    assert_false(wanted(BEGIN_AT, 100, 0, 0, false));     /* the operator wants the events again */
    assert_false(wanted(BEGIN_ANEW, 0, 0, 0, false));
}

static void it_is_read_again_until_the_cursor_has_passed_it(void **state)
{
    (void)state;
    assert_true(wanted(BEGIN_FIRST, 100, 100, 200, true));
    assert_true(wanted(BEGIN_REWIND, 100, 100, 200, true));
    assert_false(wanted(BEGIN_FIRST, 200, 200, 200, true));
    assert_false(wanted(BEGIN_FIRST, 50, 100, 200, true)); /* somebody has set the cursor */
    assert_false(wanted(BEGIN_AT, 100, 100, 200, true));
}

static void a_key_that_is_no_stream_has_nothing(void **state)
{
    (void)state;
    const struct begin_found found = {.cursor = optional_of(100), .stream_is_gone = true}, nothing = {0};
    assert_false(inherited_is_wanted(BEGIN_FIRST, &found, true));
    assert_false(inherited_is_wanted(BEGIN_FIRST, &nothing, false)); /* start = live or oldest */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_start_without_marks_reads_the_stream),
        cmocka_unit_test(it_is_read_again_until_the_cursor_has_passed_it),
        cmocka_unit_test(a_key_that_is_no_stream_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
