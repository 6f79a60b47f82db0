/* Unit tests for where reading begins, and how the marks are made to fit: a row for each case of begin_plan.h. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "begin_plan.h"

#define CURSOR(n) optional_of(n)
#define NONE optional_none()

/* Partition 0 has the mark 90, partition 1 the mark 110, the others none. */
static struct begin_found found(struct optional cursor, struct optional copy)
{
    struct begin_found f = {.cursor = cursor, .record = {.copy = copy, .knows_relay = true, .is_same_relay = true}};
    f.marks.seq[0] = 90;
    f.marks.seq[1] = 110;
    return f;
}

static struct begin_plan plan(enum begin_kind kind, struct optional wanted, struct begin_found f)
{
    const struct begin_order order = {.kind = kind, .cursor = wanted};
    return begin_plan(&order, &f);
}

static void cursor_that_this_firehosed_saved_keeps_the_marks(void **state)
{
    (void)state;
    struct begin_plan p = plan(BEGIN_FIRST, NONE, found(CURSOR(100), CURSOR(100)));
    assert_true(optional_is(p.cursor, 100));
    assert_int_equal(p.lowered, 0);
    assert_int_equal(p.marks.seq[1], 110);
    assert_false(p.drops_saved || p.drops_another_relays);
}

static void cursor_that_was_set_from_outside_wins_and_lowers_higher_marks(void **state)
{
    (void)state;
    static const struct optional copies[] = {{true, 105}, {true, 95}, {0}};
    for (size_t i = 0; i < sizeof copies / sizeof copies[0]; i++) {
        struct begin_plan p = plan(BEGIN_FIRST, NONE, found(CURSOR(100), copies[i]));
        assert_true(optional_is(p.cursor, 100));
        assert_int_equal(p.lowered, 1 << 1);
        assert_int_equal(p.marks.seq[0], 90);
        assert_int_equal(p.marks.seq[1], 100);
    }
}

static void stream_that_is_gone_lowers_marks_above_our_own_cursor_too(void **state)
{
    (void)state;
    struct begin_found f = found(CURSOR(100), CURSOR(100));
    f.stream_is_gone = true;
    assert_int_equal(plan(BEGIN_FIRST, NONE, f).lowered, 1 << 1);
}

static void deleted_cursor_drops_what_is_left(void **state)
{
    (void)state;
    struct begin_plan p = plan(BEGIN_FIRST, NONE, found(NONE, CURSOR(100)));
    assert_true(p.drops_saved);
    assert_false(p.drops_another_relays || p.cursor.is_known);
    assert_int_equal(p.marks.seq[1], 0);
}

static void nothing_saved_drops_nothing(void **state)
{
    (void)state;
    struct begin_plan p = plan(BEGIN_FIRST, NONE, (struct begin_found){0});
    assert_false(p.drops_saved || p.drops_another_relays || p.cursor.is_known);
    assert_int_equal(p.lowered, 0);
}

static void marks_of_another_relay_are_dropped_after_a_question(void **state)
{
    (void)state;
    struct begin_found f = found(CURSOR(100), CURSOR(100));
    f.record.is_same_relay = false;
    struct begin_plan p = plan(BEGIN_RELAY, NONE, f);
    assert_true(p.drops_saved && p.drops_another_relays);
    assert_false(p.cursor.is_known);
    f.record.knows_relay = false; /* the service before this one names none */
    assert_false(plan(BEGIN_FIRST, NONE, f).drops_saved);
}

static void rewind_goes_to_the_oldest_cursor_and_keeps_the_marks(void **state)
{
    (void)state;
    static const struct {
        struct optional cursor, copy, expected;
    } rows[] = {
        {{true, 100}, {true, 100}, {true, 100}},
        {{true, 100}, {true, 80}, {true, 80}}, /* the copy is as old as the marks */
        {{true, 100}, {0}, {true, 100}},
        {{0}, {true, 80}, {true, 80}},
        {{true, 60}, {true, 80}, {true, 60}},
        {{0}, {0}, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct begin_found f = found(rows[i].cursor, rows[i].copy);
        struct begin_plan p = plan(BEGIN_REWIND, NONE, f);
        assert_int_equal(p.cursor.is_known, rows[i].expected.is_known);
        assert_int_equal(p.cursor.value, rows[i].expected.value);
        assert_int_equal(p.lowered, 0);
        assert_int_equal(p.marks.seq[1], 110);
    }
}

static void new_sequence_drops_everything(void **state)
{
    (void)state;
    struct begin_plan live = plan(BEGIN_ANEW, NONE, found(CURSOR(100), CURSOR(100)));
    struct begin_plan oldest = plan(BEGIN_ANEW, CURSOR(0), found(CURSOR(100), CURSOR(100)));
    assert_true(live.drops_saved && oldest.drops_saved);
    assert_false(live.cursor.is_known);
    assert_true(optional_is(oldest.cursor, 0));
    assert_int_equal(oldest.marks.seq[0], 0);
}

static void operators_cursor_lowers_marks_even_where_the_copy_is_the_same(void **state)
{
    (void)state;
    struct begin_plan p = plan(BEGIN_AT, CURSOR(50), found(CURSOR(50), CURSOR(50)));
    assert_true(optional_is(p.cursor, 50));
    assert_int_equal(p.lowered, 3);
    assert_int_equal(p.marks.seq[0], 50);
    assert_int_equal(p.marks.seq[1], 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_that_this_firehosed_saved_keeps_the_marks),
        cmocka_unit_test(cursor_that_was_set_from_outside_wins_and_lowers_higher_marks),
        cmocka_unit_test(stream_that_is_gone_lowers_marks_above_our_own_cursor_too),
        cmocka_unit_test(deleted_cursor_drops_what_is_left),
        cmocka_unit_test(nothing_saved_drops_nothing),
        cmocka_unit_test(marks_of_another_relay_are_dropped_after_a_question),
        cmocka_unit_test(rewind_goes_to_the_oldest_cursor_and_keeps_the_marks),
        cmocka_unit_test(new_sequence_drops_everything),
        cmocka_unit_test(operators_cursor_lowers_marks_even_where_the_copy_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
