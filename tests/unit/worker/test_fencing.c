/* Unit tests for what a worker does once it knows its slot and the marks: a row for each case of fencing.h. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fencing.h"

/* Partitions 0 and 1 are ours, and their marks are as they are known. */
static struct fencing_case sound(void)
{
    struct fencing_case c = {.slot = SLOT_OURS, .has_read_marks = true, .has_hash = true, .own = 3};
    c.marks.seq[0] = c.known.seq[0] = 100;
    c.marks.seq[1] = c.known.seq[1] = 110;
    return c;
}

static void assert_step(const struct fencing_case *c, enum fencing_step step, uint64_t partitions, int exit_status)
{
    const struct fencing_decision d = fencing_decide(c);
    assert_int_equal(d.step, step);
    assert_int_equal(d.partitions, partitions);
    assert_int_equal(d.exit_status, exit_status);
}

static void sound_marks_in_our_slot_go_on(void **state)
{
    (void)state;
    struct fencing_case c = sound();
    assert_step(&c, FENCING_GO_ON, 0, 0);
    c.marks.seq[0] = 105; /* a transaction whose answer was lost */
    assert_step(&c, FENCING_GO_ON, 0, 0);
    c.known = (struct marks){0}; /* the first look */
    assert_step(&c, FENCING_GO_ON, 0, 0);
}

static void the_owner_decides_first(void **state)
{
    (void)state;
    static const struct {
        enum slot_standing slot;
        enum fencing_step step;
        int exit_status;
    } rows[] = {
        {SLOT_NOBODYS, FENCING_TAKE_SLOT, 0},
        {SLOT_OF_PREDECESSOR, FENCING_TAKE_SLOT, 0},
        {SLOT_OF_SUCCESSOR, FENCING_LEAVE, IPC_EXIT_OBSOLETE},
        {SLOT_OF_LATER_FIREHOSED, FENCING_LEAVE, IPC_EXIT_TAKEN_OVER},
        {SLOT_OF_EARLIER_EPOCH, FENCING_LEAVE, IPC_EXIT_MARKS_LOST},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fencing_case c = sound();
        c.slot = rows[i].slot;
        c.marks.seq[0] = 1; /* would be lost data */
        assert_step(&c, rows[i].step, 0, rows[i].exit_status);
    }
}

static void own_slot_is_taken_anew_on_a_new_connection(void **state)
{
    (void)state;
    struct fencing_case c = sound();
    c.must_take_slot = true;
    assert_step(&c, FENCING_TAKE_SLOT, 0, 0);
}

static void errors_are_waited_out(void **state)
{
    (void)state;
    struct fencing_case c = sound();
    c.has_failed = true;
    assert_step(&c, FENCING_RETRY_LATER, 0, 0);
    c.slot = SLOT_OF_LATER_FIREHOSED; /* with an error among the answers nothing is believed */
    assert_step(&c, FENCING_RETRY_LATER, 0, 0);
    c = sound();
    c.has_failed = c.must_repair = true;
    c.has_read_marks = false;
    assert_step(&c, FENCING_RETRY_LATER, 0, 0);
}

static void marks_that_went_back_are_lost_data(void **state)
{
    (void)state;
    struct fencing_case c = sound();
    c.marks.seq[1] = 109;
    assert_step(&c, FENCING_LEAVE, 0, IPC_EXIT_MARKS_LOST);
    c.own = 1; /* it is another worker's partition */
    assert_step(&c, FENCING_GO_ON, 0, 0);
}

static void marks_that_are_gone_altogether_are_put_back(void **state)
{
    (void)state;
    struct fencing_case c = sound();
    c.marks = (struct marks){0};
    c.has_hash = false;
    assert_step(&c, FENCING_WRITE_MARKS, 3, 0);
}

static void marks_of_the_batch_tell_whether_it_was_executed(void **state)
{
    (void)state;
    struct fencing_case c = sound();
    struct batch batch = {.touched = 3};
    batch.marks.seq[0] = 100;
    batch.marks.seq[1] = 115;
    c.batch = &batch;
    assert_step(&c, FENCING_GO_ON, 0, 0);
    c.marks.seq[1] = 115;
    assert_step(&c, FENCING_GO_ON_COMMITTED, 0, 0);
    batch.touched = 0; /* a retry: no mark tells */
    assert_step(&c, FENCING_GO_ON, 0, 0);
}

static void marks_ahead_of_failed_commands_are_put_back_and_then_told(void **state)
{
    (void)state;
    struct fencing_case c = sound();
    struct batch batch = {.touched = 2};
    batch.marks.seq[1] = c.marks.seq[1] = 115;
    c.batch = &batch;
    c.must_repair = c.has_part_failed = true;
    assert_step(&c, FENCING_WRITE_MARKS, 2, 0);
    c.has_failed = c.stream_is_gone = true; /* the wrong type is still there: the repair comes first */
    assert_step(&c, FENCING_WRITE_MARKS, 2, 0);
    c = sound();
    c.batch = &batch;
    c.has_part_failed = true;
    assert_step(&c, FENCING_RETRY_LATER, 0, 0);
    c.must_repair = true; /* Redis has confirmed the marks, and only then it is over */
    assert_step(&c, FENCING_RETRY_LATER, 0, 0);
}

static void marks_in_doubt_are_put_back_where_the_stream_is_gone(void **state)
{
    (void)state;
    struct fencing_case c = sound();
    c.stream_is_gone = c.has_failed = true;
    assert_step(&c, FENCING_RETRY_LATER, 0, 0);
    c.marks.seq[0] = 105;
    assert_step(&c, FENCING_WRITE_MARKS, 1, 0);
    c.known.seq[0] = 0; /* nothing is known of it */
    assert_step(&c, FENCING_RETRY_LATER, 0, 0);
}

static const redisReply ok = {.type = REDIS_REPLY_STATUS, .str = "OK"}, nothing = {.type = REDIS_REPLY_NIL};

/* Answers the question that waits in f; partition 0 has this mark, the others none. */
static enum fencing_step answer(struct fencing *f, const char *mark, const struct batch *batch)
{
    char mine[OWNER_TOKEN_BYTES];
    owner_format(&f->owner, mine);
    redisReply executed = {.type = REDIS_REPLY_ARRAY}, owner = {.type = REDIS_REPLY_STRING, .str = mine};
    redisReply type = {.type = REDIS_REPLY_STATUS, .str = "stream"}, relay = {.type = REDIS_REPLY_STRING, .str = "r"};
    redisReply of_0 = {.type = REDIS_REPLY_STRING, .str = (char *)mark}, *each[PARTITIONS] = {&of_0};
    redisReply marks = {.type = REDIS_REPLY_ARRAY, .elements = PARTITIONS, .element = each};
    for (int p = 1; p < PARTITIONS; p++)
        each[p] = (redisReply *)&nothing;
    const redisReply *all[] = {&ok, &ok, &executed, &ok, &owner, &type, &type, &marks, &relay};
    enum fencing_step step = FENCING_WAIT;
    for (size_t i = f->replies; i < sizeof all / sizeof all[0]; i++)
        step = fencing_take(f, all[i], batch).step;
    return step;
}

static void marks_are_put_back_again_where_the_connection_broke_meanwhile(void **state)
{
    (void)state;
    static union known_page page;
    struct config config = {.stream_key = "stream", .dead_letters_key = "dead"};
    const struct worker_setup setup = {
        .config = &config, .progress_key = "progress", .own = 1, .owner = {7, 5}, .known = &page};
    const struct error why = {.text = "WRONGTYPE"};
    struct batch batch = {.touched = 1};
    struct fencing f;
    batch.marks.seq[0] = 115;
    fencing_init(&f, &setup, "owner");
    fencing_begin(&f);
    assert_int_equal(answer(&f, "100", NULL), FENCING_GO_ON);
    fencing_must_repair(&f, &why);
    fencing_begin(&f);
    assert_int_equal(answer(&f, "115", &batch), FENCING_WRITE_MARKS);
    fencing_connected(&f); /* it is not known whether Redis has executed that */
    fencing_begin(&f);
    assert_int_equal(answer(&f, "115", &batch), FENCING_TAKE_SLOT);
    assert_int_equal(answer(&f, "115", &batch), FENCING_WRITE_MARKS);
    assert_int_equal(answer(&f, "100", &batch), FENCING_RETRY_LATER);
    assert_string_equal(f.failure.text, "WRONGTYPE");
    fencing_begin(&f);
    assert_int_equal(answer(&f, "100", &batch), FENCING_GO_ON);
    fencing_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_marks_in_our_slot_go_on),
        cmocka_unit_test(the_owner_decides_first),
        cmocka_unit_test(own_slot_is_taken_anew_on_a_new_connection),
        cmocka_unit_test(errors_are_waited_out),
        cmocka_unit_test(marks_that_went_back_are_lost_data),
        cmocka_unit_test(marks_that_are_gone_altogether_are_put_back),
        cmocka_unit_test(marks_of_the_batch_tell_whether_it_was_executed),
        cmocka_unit_test(marks_ahead_of_failed_commands_are_put_back_and_then_told),
        cmocka_unit_test(marks_in_doubt_are_put_back_where_the_stream_is_gone),
        cmocka_unit_test(marks_are_put_back_again_where_the_connection_broke_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
