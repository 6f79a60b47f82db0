/* Unit tests for the decisions of the pool: who is to blame for a death, what follows an exit, how many frames may go
 * now. */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "blame.h"
#include "dispatch.h"
#include "worker_exit.h"

/* As waitpid() has them. */
static int exited(int code) { return code << 8; }
static int killed_by(int signal) { return signal; }

/* ---- blame ---- */

static struct blame_case death(int status)
{
    return (struct blame_case){.in_flight = 1, .was_on_frames = true, .status = status};
}

static void single_frame_is_blamed_by_how_its_worker_died(void **state)
{
    (void)state;
    struct blame_case hung = death(killed_by(SIGKILL));
    hung.was_hung = true;
    const struct {
        struct blame_case c;
        unsigned points;
        enum verdict verdict;
        int cause;
    } rows[] = {
        {death(killed_by(SIGSEGV)), POINTS_OWN_DEATH, VERDICT_SIGNAL, SIGSEGV},
        {death(killed_by(SIGKILL)), POINTS_KILLED, VERDICT_SIGNAL, SIGKILL},
        {death(exited(3)), POINTS_OWN_DEATH, VERDICT_EXIT, 3},
        {hung, POINTS_OWN_DEATH, VERDICT_HANG, SIGKILL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct blame b = blame_decide(&rows[i].c);
        assert_int_equal(b.kind, BLAME_FRAME);
        assert_int_equal(b.points, rows[i].points);
        assert_int_equal(b.verdict, rows[i].verdict);
        assert_int_equal(b.cause, rows[i].cause);
    }
}

static void nobody_is_blamed_where_the_death_tells_nothing(void **state)
{
    (void)state;
    struct blame_case none = death(killed_by(SIGSEGV)), several = none, waiting = none, condemned = none;
    none.in_flight = 0;
    several.in_flight = 2;
    waiting.was_on_frames = false;
    condemned.is_condemned = true;
    assert_int_equal(blame_decide(&none).kind, BLAME_NOBODY);
    assert_int_equal(blame_decide(&several).kind, BLAME_NOBODY);
    assert_int_equal(blame_decide(&waiting).kind, BLAME_NOBODY);
    assert_int_equal(blame_decide(&condemned).kind, BLAME_NOBODY);
}

static void worker_is_blamed_after_many_frames_in_a_row(void **state)
{
    (void)state;
    struct blame_case c = death(killed_by(SIGSEGV));
    c.condemned = CONDEMNED_MAX - 1;
    assert_int_equal(blame_decide(&c).kind, BLAME_FRAME);
    c.condemned = CONDEMNED_MAX;
    assert_int_equal(blame_decide(&c).kind, BLAME_WORKER);
}

/* ---- what follows an exit ---- */

static void each_exit_is_followed_by_one_thing(void **state)
{
    (void)state;
    static const struct {
        int status;
        bool was_leaving, was_killed;
        enum drain drain;
        bool has_frames;
        enum exit_next next;
        bool was_orderly, has_died;
    } rows[] = {
        /* it dies, and is replaced */
        {SIGSEGV, false, false, DRAIN_NONE, true, EXIT_RESTART, false, true},
        {1 << 8, false, false, DRAIN_NONE, false, EXIT_RESTART, false, true},
        {0, false, false, DRAIN_NONE, false, EXIT_RESTART, false, true}, /* nobody has told it to leave */
        {SIGSEGV, true, false, DRAIN_NONE, true, EXIT_RESTART, false, true},
        /* it finishes, as pool_restart() asked */
        {0, true, false, DRAIN_NONE, true, EXIT_START, true, false},
        /* the pool drains */
        {0, true, false, DRAIN_SENT, true, EXIT_LEAVE, true, false},
        {SIGSEGV, true, false, DRAIN_SENT, true, EXIT_LEAVE, false, true},
        {0, true, false, DRAIN_EVERYTHING, false, EXIT_LEAVE, true, false},
        {0, true, false, DRAIN_EVERYTHING, true, EXIT_START, true, false},
        {SIGSEGV, true, false, DRAIN_EVERYTHING, true, EXIT_RESTART, false, true},
        {SIGKILL, true, true, DRAIN_SENT, true, EXIT_LEAVE, false, false},
        /* what it tells by its status */
        {IPC_EXIT_TAKEN_OVER << 8, false, false, DRAIN_NONE, true, EXIT_CLAIMS_TAKE_OVER, false, false},
        {IPC_EXIT_TAKEN_OVER << 8, true, false, DRAIN_EVERYTHING, true, EXIT_CLAIMS_TAKE_OVER, false, false},
        {IPC_EXIT_MARKS_LOST << 8, false, false, DRAIN_NONE, true, EXIT_MARKS_LOST, false, false},
        {IPC_EXIT_MARKS_LOST << 8, true, false, DRAIN_SENT, true, EXIT_MARKS_LOST, false, false},
        {IPC_EXIT_OBSOLETE << 8, false, false, DRAIN_NONE, true, EXIT_RESTART, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct exit_case c = {rows[i].status, rows[i].was_leaving, rows[i].was_killed, rows[i].drain,
                                    rows[i].has_frames};
        const struct exit_decision d = exit_decide(&c);
        if (d.next != rows[i].next || d.was_orderly != rows[i].was_orderly || d.has_died != rows[i].has_died)
            fail_msg("row %zu: next %d, orderly %d, died %d", i, (int)d.next, d.was_orderly, d.has_died);
    }
}

static void exit_is_described_in_words(void **state)
{
    (void)state;
    char text[96];
    exit_describe(exited(3), 0, text, sizeof text);
    assert_string_equal(text, "exited with status 3");
    exit_describe(killed_by(SIGSEGV), 0, text, sizeof text);
    assert_string_equal(text, "killed by signal 11 (Segmentation fault)");
    exit_describe(killed_by(SIGSYS), 1 + 41 /* socket(2) on x86-64; any number has a name */, text, sizeof text);
    assert_non_null(strstr(text, "is not allowed"));
}

/* ---- how many frames may go ---- */

static struct dispatch_case idle(size_t waiting)
{
    return (struct dispatch_case){.has_next = waiting > 0, .waiting = waiting, .batch_events = 10};
}

static void idle_worker_gets_what_there_is(void **state)
{
    (void)state;
    struct dispatch_case c = idle(1);
    assert_int_equal(dispatch_allowance(&c), 30); /* three batches ahead */
    c = idle(0);
    assert_int_equal(dispatch_allowance(&c), 0);
    c = idle(1);
    c.batch_events = 1000;
    assert_int_equal(dispatch_allowance(&c), DISPATCH_FRAMES);
}

static void busy_worker_gets_whole_batches_up_to_three(void **state)
{
    (void)state;
    struct dispatch_case c = idle(9);
    c.in_flight = 1;
    assert_int_equal(dispatch_allowance(&c), 0); /* they go with the next ack */
    c.waiting = 10;
    assert_int_equal(dispatch_allowance(&c), 29);
    c.in_flight = 30;
    assert_int_equal(dispatch_allowance(&c), 0);
}

static void suspects_go_one_at_a_time(void **state)
{
    (void)state;
    struct dispatch_case c = idle(50);
    c.next_is_suspect = true;
    assert_int_equal(dispatch_allowance(&c), 1);
    c.in_flight = 1;
    assert_int_equal(dispatch_allowance(&c), 0);
    c.next_is_suspect = false;
    c.first_is_suspect = true;
    assert_int_equal(dispatch_allowance(&c), 0);
}

static void held_or_leaving_worker_gets_only_the_rest_of_a_reference(void **state)
{
    (void)state;
    struct dispatch_case held = idle(50), leaving = idle(50);
    held.is_held = leaving.is_leaving = true;
    assert_int_equal(dispatch_allowance(&held), 0);
    assert_int_equal(dispatch_allowance(&leaving), 0);
    held.has_partial = leaving.has_partial = true;
    assert_int_equal(dispatch_allowance(&held), 1);
    assert_int_equal(dispatch_allowance(&leaving), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_frame_is_blamed_by_how_its_worker_died),
        cmocka_unit_test(nobody_is_blamed_where_the_death_tells_nothing),
        cmocka_unit_test(worker_is_blamed_after_many_frames_in_a_row),
        cmocka_unit_test(each_exit_is_followed_by_one_thing),
        cmocka_unit_test(exit_is_described_in_words),
        cmocka_unit_test(idle_worker_gets_what_there_is),
        cmocka_unit_test(busy_worker_gets_whole_batches_up_to_three),
        cmocka_unit_test(suspects_go_one_at_a_time),
        cmocka_unit_test(held_or_leaving_worker_gets_only_the_rest_of_a_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
