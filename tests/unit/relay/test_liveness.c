/* When a connection gets a ping, and when it is over: the decision, without a clock. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/liveness.h"

static const struct config config = {.relay_ping_interval = 30, .relay_idle_timeout = 45};

static void assert_judged(struct liveness *l, int64_t now_ms, bool is_within_message, enum liveness_verdict verdict,
                          int64_t next_ms)
{
    struct liveness_answer answer = liveness_judge(l, now_ms, is_within_message, &config);
    assert_int_equal(answer.verdict, verdict);
    assert_int_equal(answer.next_ms, next_ms);
}

static void a_silent_connection_gets_one_ping_and_is_over_then(void **state)
{
    (void)state;
    struct liveness l;
    liveness_reset(&l, 100);
    assert_judged(&l, 110, false, LIVENESS_FINE, 20);
    assert_judged(&l, 130, false, LIVENESS_PING, 15);
    assert_judged(&l, 140, false, LIVENESS_FINE, 5);
    assert_judged(&l, 145, false, LIVENESS_SILENT, 0);
}

static void a_pong_makes_the_silence_begin_anew(void **state)
{
    (void)state;
    struct liveness l;
    liveness_reset(&l, 100);
    assert_judged(&l, 130, false, LIVENESS_PING, 15);
    liveness_on_bytes(&l, 131, true);
    assert_judged(&l, 145, false, LIVENESS_FINE, 16);
    assert_judged(&l, 161, false, LIVENESS_PING, 15);
}

static void bytes_without_headway_do_not_keep_a_message_open_for_ever(void **state)
{
    (void)state;
    struct liveness l;
    liveness_reset(&l, 100);
    for (int64_t now = 101; now < 145; now++) {
        liveness_on_bytes(&l, now, false);
        assert_judged(&l, now, true, LIVENESS_FINE, 30);
    }
    assert_judged(&l, 145, true, LIVENESS_STUCK, 0);
}

static void a_message_that_ended_is_headway(void **state)
{
    (void)state;
    struct liveness l;
    liveness_reset(&l, 100);
    liveness_on_bytes(&l, 140, true);
    assert_judged(&l, 150, true, LIVENESS_FINE, 20);
    liveness_on_bytes(&l, 184, false);
    assert_judged(&l, 184, true, LIVENESS_FINE, 30);
    assert_judged(&l, 185, true, LIVENESS_STUCK, 0);
}

static void a_connection_that_was_not_read_proves_nothing_by_its_silence(void **state)
{
    (void)state;
    struct liveness l;
    liveness_reset(&l, 100);
    assert_judged(&l, 130, true, LIVENESS_PING, 15);
    liveness_reset(&l, 1000);
    assert_judged(&l, 1000, true, LIVENESS_FINE, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_connection_gets_one_ping_and_is_over_then),
        cmocka_unit_test(a_pong_makes_the_silence_begin_anew),
        cmocka_unit_test(bytes_without_headway_do_not_keep_a_message_open_for_ever),
        cmocka_unit_test(a_message_that_ended_is_headway),
        cmocka_unit_test(a_connection_that_was_not_read_proves_nothing_by_its_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
