/* Which relay is read, and when it is given up: the policy, without any connection. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "relay/relay_list.h"

static struct config config_with(const char *relay)
{
    return (struct config){.relay = (char *)(uintptr_t)relay,
                           .cursor_key = (char *)(uintptr_t)"cursor",
                           .progress_key = (char *)(uintptr_t)"progress",
                           .relay_attempts = 3,
                           .relay_failback = 1000};
}

static struct relay_list list(const struct config *c)
{
    struct relay_list s;
    struct error why;
    assert_true(relay_list_init(&s, c, &why));
    return s;
}

static void first_has_the_plain_keys_and_others_their_names(void **state)
{
    (void)state;
    struct config c = config_with("wss://one.example, ws://two.example:8080\twss://three.example:443");
    struct relay_list s = list(&c);
    assert_int_equal(s.count, 3);
    assert_string_equal(s.list[0].cursor_key, "cursor");
    assert_string_equal(s.list[0].progress_key, "progress");
    assert_string_equal(s.list[1].cursor_key, "cursor:two.example:8080");
    assert_string_equal(s.list[2].progress_key, "progress:three.example");
}

static void failures_in_a_row_lead_to_the_next_and_round(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct relay_list s = list(&c);
    assert_false(relay_list_failed(&s, &c));
    assert_false(relay_list_failed(&s, &c));
    relay_list_healthy(&s, &c);
    assert_false(relay_list_failed(&s, &c));
    assert_false(relay_list_failed(&s, &c));
    assert_true(relay_list_failed(&s, &c));
    relay_list_select(&s, relay_list_next(&s, 0), false);
    assert_int_equal(s.current, 1);
    for (int i = 0; i < 2; i++)
        assert_false(relay_list_failed(&s, &c));
    assert_true(relay_list_failed(&s, &c));
    assert_int_equal(relay_list_next(&s, 0), 0);
}

static void a_single_relay_is_never_given_up(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example");
    struct relay_list s = list(&c);
    for (int i = 0; i < 100; i++)
        assert_false(relay_list_failed(&s, &c));
}

static void a_try_in_vain_goes_back_and_waits_longer(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example ws://c.example");
    struct relay_list s = list(&c);
    relay_list_select(&s, 2, false);
    relay_list_select(&s, 0, true);
    assert_true(relay_list_failed(&s, &c));
    assert_int_equal(relay_list_next(&s, 0), 2);
    relay_list_select(&s, 2, false);
    assert_int_equal(s.failback_ms, 2000);
    relay_list_select(&s, 0, true);
    relay_list_healthy(&s, &c);
    assert_false(relay_list_failed(&s, &c)); /* it has proved itself: no longer a try */
    assert_int_equal(s.failback_ms, 1000);
}

static void changed_list_keeps_what_is_read_only_in_its_place(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct config longer = config_with("ws://a.example/other ws://b.example ws://c.example");
    struct config turned = config_with("ws://b.example ws://a.example");
    struct config other = config_with("ws://c.example");
    struct relay_list fresh_longer = list(&longer), fresh_turned = list(&turned), fresh_other = list(&other);
    for (unsigned current = 0; current < 2; current++) {
        struct relay_list s = list(&c);
        relay_list_select(&s, current, false);
        relay_list_failed(&s, &c);
        assert_true(relay_list_replace(&s, &fresh_longer));
        assert_int_equal(s.current, current);
        assert_int_equal(s.count, 3);
        assert_int_equal(s.list[current].failures, 1);
        assert_false(relay_list_replace(&s, &fresh_turned));
        assert_false(relay_list_replace(&s, &fresh_other));
        assert_int_equal(s.count, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_has_the_plain_keys_and_others_their_names),
        cmocka_unit_test(failures_in_a_row_lead_to_the_next_and_round),
        cmocka_unit_test(a_single_relay_is_never_given_up),
        cmocka_unit_test(a_try_in_vain_goes_back_and_waits_longer),
        cmocka_unit_test(changed_list_keeps_what_is_read_only_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
