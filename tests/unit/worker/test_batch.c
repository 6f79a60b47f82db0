/* What a transaction holds, and what is left of it when some of its commands failed inside EXEC. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/batch.h"

enum { COMMANDS = 5 };

#define PROGRESS "progress"
#define OWNER    "owner:0"
#define MULTI    "*1\r\n$5\r\nMULTI\r\n"
#define EXEC     "*1\r\n$4\r\nEXEC\r\n*2\r\n$5\r\nWATCH\r\n$7\r\nowner:0\r\n*2\r\n$3\r\nGET\r\n$7\r\nowner:0\r\n"
#define MARK     "*4\r\n$4\r\nHSET\r\n$8\r\nprogress\r\n$1\r\n3\r\n$2\r\n77\r\n"

/* Values as events have them: empty, with line ends, with what looks like a command. */
static const char *const values[COMMANDS] = {"one", "", "\r\n$3\r\n", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "five"};

static void append(struct buffer *out, const char *value)
{
    resp_append_command(out, 3, "XADD");
    resp_append_bulk(out, "key");
    resp_append_bulk(out, value);
}

static void fill(struct batch *b)
{
    batch_init(b);
    for (int i = 0; i < COMMANDS; i++) {
        append(&b->out, values[i]);
        b->commands++;
    }
    b->marks.seq[3] = 77;
    b->touched = UINT64_C(1) << 3;
    b->frames = COMMANDS;
    b->last_id = 9;
    batch_finish(b, PROGRESS, OWNER);
}

static void assert_left(const struct batch *b, unsigned which)
{
    struct buffer expected;
    buffer_init(&expected);
    buffer_append_text(&expected, MULTI);
    size_t count = 0;
    for (int i = 0; i < COMMANDS; i++)
        if (which >> i & 1) {
            append(&expected, values[i]);
            count++;
        }
    buffer_append_text(&expected, MARK EXEC);
    assert_int_equal(b->commands, count);
    assert_int_equal(batch_results(b), count + 1);
    assert_int_equal(b->out.len, expected.len);
    assert_memory_equal(b->out.data, expected.data, expected.len);
    buffer_fini(&expected);
}

static void finished_batch_is_one_transaction_with_marks_and_the_next_guard(void **state)
{
    (void)state;
    struct batch b;
    fill(&b);
    assert_left(&b, (1 << COMMANDS) - 1);
    batch_fini(&b);
}

static void what_failed_is_what_is_left_whichever_it_was(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 1 << COMMANDS; which++) {
        struct batch b;
        bool failed[COMMANDS];
        for (int i = 0; i < COMMANDS; i++)
            failed[i] = which >> i & 1;
        fill(&b);
        batch_keep_failed(&b, failed);
        assert_left(&b, which);
        assert_int_equal(b.frames, COMMANDS); /* all of them are acked in the end */
        assert_int_equal(b.last_id, 9);
        batch_fini(&b);
    }
}

static void what_fails_again_is_left_again(void **state)
{
    (void)state;
    struct batch b;
    fill(&b);
    batch_keep_failed(&b, (const bool[COMMANDS]){true, false, true, false, true});
    assert_left(&b, 0x15);
    batch_keep_failed(&b, (const bool[3]){false, true, true});
    assert_left(&b, 0x14);
    batch_keep_failed(&b, (const bool[2]){true, false});
    assert_left(&b, 0x04);
    batch_keep_failed(&b, (const bool[1]){false});
    assert_left(&b, 0);
    batch_fini(&b);
}

static void batch_without_marks_writes_none(void **state)
{
    (void)state;
    struct batch b;
    batch_init(&b);
    append(&b.out, values[0]);
    b.commands = 1;
    batch_finish(&b, PROGRESS, OWNER);
    batch_keep_failed(&b, (const bool[1]){false});
    assert_int_equal(batch_results(&b), 0);
    assert_int_equal(b.out.len, strlen(MULTI EXEC));
    assert_memory_equal(b.out.data, MULTI EXEC, strlen(MULTI EXEC));
    batch_fini(&b);
}

static void next_batch_begins_empty(void **state)
{
    (void)state;
    struct batch b;
    fill(&b);
    batch_begin(&b);
    assert_int_equal(b.commands + b.frames + b.last_id + b.touched, 0);
    assert_int_equal(b.out.len, strlen(MULTI));
    batch_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finished_batch_is_one_transaction_with_marks_and_the_next_guard),
        cmocka_unit_test(what_failed_is_what_is_left_whichever_it_was),
        cmocka_unit_test(what_fails_again_is_left_again),
        cmocka_unit_test(batch_without_marks_writes_none),
        cmocka_unit_test(next_batch_begins_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
