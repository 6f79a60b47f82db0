/* Stepping over replies: only whole ones that are exactly as expected, and never past the others. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "redis/replies.h"

#define QUEUED "+QUEUED\r\n"

static redisReader *reader_with(const char *text)
{
    redisReader *r = redisReaderCreate();
    assert_non_null(r);
    assert_int_equal(redisReaderFeed(r, text, strlen(text)), REDIS_OK);
    return r;
}

/* What hiredis makes of what is left. */
static void assert_next(redisReader *r, int type, const char *text)
{
    void *next = NULL;
    assert_int_equal(redisReaderGetReply(r, &next), REDIS_OK);
    assert_non_null(next);
    redisReply *reply = next;
    assert_int_equal(reply->type, type);
    if (text != NULL)
        assert_string_equal(reply->str, text);
    freeReplyObject(reply);
}

static void assert_nothing_left(redisReader *r)
{
    void *next = NULL;
    assert_int_equal(redisReaderGetReply(r, &next), REDIS_OK);
    assert_null(next);
    redisReaderFree(r);
}

static void no_more_statuses_are_skipped_than_asked_for(void **state)
{
    (void)state;
    redisReader *r = reader_with(QUEUED QUEUED QUEUED "+OK\r\n");
    assert_int_equal(replies_skip_status(r, "QUEUED", 2), 2);
    assert_next(r, REDIS_REPLY_STATUS, "QUEUED");
    assert_int_equal(replies_skip_status(r, "QUEUED", 9), 0);
    assert_next(r, REDIS_REPLY_STATUS, "OK");
    assert_nothing_left(r);
}

static void other_statuses_and_errors_are_left(void **state)
{
    (void)state;
    static const char *const others[] = {"+QUEUEDX\r\n", "+QUEUE\r\n", "-QUEUED\r\n", "$6\r\nQUEUED\r\n",
                                         "-OOM no\r\n"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        redisReader *r = reader_with(others[i]);
        assert_int_equal(replies_skip_status(r, "QUEUED", 9), 0);
        void *next;
        assert_int_equal(redisReaderGetReply(r, &next), REDIS_OK);
        assert_non_null(next);
        freeReplyObject(next);
        assert_nothing_left(r);
    }
}

static void a_transaction_is_skipped_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const char text[] =
        QUEUED QUEUED QUEUED "*3\r\n$4\r\n17-0\r\n$15\r\n1732492800000-1\r\n:64\r\n$2\r\nme\r\n";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        redisReader *r = redisReaderCreate();
        size_t queued = 0, arrays = 0, texts = 0;
        for (size_t at = 0; at < sizeof text - 1; at += piece) {
            size_t left = sizeof text - 1 - at;
            assert_int_equal(redisReaderFeed(r, text + at, left < piece ? left : piece), REDIS_OK);
            /* As the writer does: what cannot be skipped is hiredis's, and may be half read by it. */
            for (void *next = r; next != NULL;) {
                queued += replies_skip_status(r, "QUEUED", 3 - queued);
                arrays += queued == 3 && arrays == 0 && replies_skip_array(r, 3);
                assert_int_equal(redisReaderGetReply(r, &next), REDIS_OK);
                if (next == NULL)
                    break;
                const redisReply *reply = next;
                queued += reply->type == REDIS_REPLY_STATUS;
                arrays += reply->type == REDIS_REPLY_ARRAY && reply->elements == 3;
                texts += reply->type == REDIS_REPLY_STRING;
                freeReplyObject(next);
            }
        }
        assert_int_equal(queued, 3);
        assert_int_equal(arrays, 1);
        assert_int_equal(texts, 1);
        assert_nothing_left(r);
    }
}

static void arrays_that_are_not_as_expected_are_left(void **state)
{
    (void)state;
    static const char *const others[] = {
        "*2\r\n:1\r\n-ERR one failed\r\n", "*2\r\n:1\r\n$-1\r\n",  "*-1\r\n",
        "*3\r\n:1\r\n:2\r\n:3\r\n",        "*2\r\n*0\r\n:1\r\n", "-EXECABORT\r\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        redisReader *r = reader_with(others[i]);
        assert_false(replies_skip_array(r, 2));
        void *next;
        assert_int_equal(redisReaderGetReply(r, &next), REDIS_OK);
        assert_non_null(next);
        freeReplyObject(next);
        assert_nothing_left(r);
    }
}

static void half_an_array_is_left(void **state)
{
    (void)state;
    static const char whole[] = "*2\r\n$4\r\n17-0\r\n:5\r\n";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        redisReader *r = redisReaderCreate();
        assert_int_equal(redisReaderFeed(r, whole, len), REDIS_OK);
        assert_false(replies_skip_array(r, 2));
        assert_int_equal(redisReaderFeed(r, whole + len, sizeof whole - 1 - len), REDIS_OK);
        assert_true(replies_skip_array(r, 2));
        assert_nothing_left(r);
    }
}

static void lengths_that_lie_are_left(void **state)
{
    (void)state;
    static const char *const lies[] = {"*2\r\n$9\r\n17-0\r\n:5\r\n", "*2\r\n$3\r\n17-0\r\n:5\r\n",
                                       "*2\r\n$99999999999999999999\r\n17-0\r\n:5\r\n", "*2\r\n$\r\n17-0\r\n:5\r\n"};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        redisReader *r = reader_with(lies[i]);
        assert_false(replies_skip_array(r, 2));
        redisReaderFree(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_statuses_are_skipped_than_asked_for),
        cmocka_unit_test(other_statuses_and_errors_are_left),
        cmocka_unit_test(a_transaction_is_skipped_in_pieces_of_any_size),
        cmocka_unit_test(arrays_that_are_not_as_expected_are_left),
        cmocka_unit_test(half_an_array_is_left),
        cmocka_unit_test(lengths_that_lie_are_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
