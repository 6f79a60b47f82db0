/* Events that another relay sends again are recognised by repo and rev; nothing else is taken for one. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "relay/dedup.h"

#define ALICE "did:plc:alice", 13
#define BOB   "did:plc:bob", 11
#define REV_1 "3l2222222222a", 13
#define REV_2 "3l2222222222b", 13
#define REV_3 "3l222222222za", 13

enum { A = 0, B = 1 };

static void an_event_of_another_relay_is_a_duplicate_up_to_the_newest_rev(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_1);
    dedup_add(d, A, ALICE, REV_2);
    assert_true(dedup_is_duplicate(d, B, ALICE, REV_1));
    assert_true(dedup_is_duplicate(d, B, ALICE, REV_2));
    assert_false(dedup_is_duplicate(d, B, ALICE, REV_3));
    assert_false(dedup_is_duplicate(d, B, BOB, REV_1));
    dedup_free(d);
}

static void the_same_relay_is_never_held_against_itself(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_3);
    assert_false(dedup_is_duplicate(d, A, ALICE, REV_1));
    dedup_add(d, A, ALICE, REV_1); /* it went back: that counts from now on */
    assert_false(dedup_is_duplicate(d, B, ALICE, REV_2));
    dedup_free(d);
}

static void there_and_back_again(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_1);
    dedup_add(d, B, ALICE, REV_2);
    assert_true(dedup_is_duplicate(d, A, ALICE, REV_1));
    assert_true(dedup_is_duplicate(d, A, ALICE, REV_2));
    assert_false(dedup_is_duplicate(d, A, ALICE, REV_3));
    dedup_free(d);
}

static void a_text_that_is_no_rev_is_never_a_duplicate(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "3l222222222", "3l22222222221", "z222222222222", "3L2222222222a"};
    struct dedup *d = dedup_new(1000);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        dedup_add(d, A, ALICE, odd[i], strlen(odd[i]));
        assert_false(dedup_is_duplicate(d, B, ALICE, odd[i], strlen(odd[i])));
    }
    dedup_free(d);
}

static void forgetting_forgets_all(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_1);
    dedup_clear(d);
    assert_false(dedup_is_duplicate(d, B, ALICE, REV_1));
    dedup_free(d);
}

/* The quiet ones make room: of ten times as many repos as there is room for, the newest are known, in fixed memory. */
static void a_full_table_forgets_the_repo_that_was_quiet_longest(void **state)
{
    (void)state;
    enum { ROOM = 8000, REPOS = 80000, NEWEST = 2000 };
    struct dedup *d = dedup_new(ROOM);
    char did[32];
    int known = 0;
    for (int i = 0; i < REPOS; i++) {
        int len = snprintf(did, sizeof did, "did:plc:%d", i);
        dedup_add(d, A, did, (size_t)len, REV_1);
    }
    for (int i = REPOS - NEWEST; i < REPOS; i++) {
        int len = snprintf(did, sizeof did, "did:plc:%d", i);
        known += dedup_is_duplicate(d, B, did, (size_t)len, REV_1);
    }
    assert_in_range(known, NEWEST * 98 / 100, NEWEST); /* rows fill unevenly: a few lose their place early */
    assert_false(dedup_is_duplicate(d, B, "did:plc:0", 9, REV_1));
    dedup_free(d);
}

/* The TID of 2020-01-01T00:00:00Z, and of five microseconds later. */
#define AT_2020        "3gv352zok2222", 13
#define A_LITTLE_LATER "3gv352zok2722", 13

static void an_event_before_the_beginning_is_no_duplicate(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, B, ALICE, A_LITTLE_LATER);
    assert_true(dedup_is_duplicate(d, A, ALICE, AT_2020));
    dedup_begin_at(d, INT64_C(1577836800000000));
    assert_true(dedup_is_duplicate(d, A, ALICE, AT_2020));
    dedup_begin_at(d, INT64_C(1577836800000001));
    assert_false(dedup_is_duplicate(d, A, ALICE, AT_2020));
    assert_true(dedup_is_duplicate(d, A, ALICE, A_LITTLE_LATER));
    dedup_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_of_another_relay_is_a_duplicate_up_to_the_newest_rev),
        cmocka_unit_test(the_same_relay_is_never_held_against_itself),
        cmocka_unit_test(there_and_back_again),
        cmocka_unit_test(a_text_that_is_no_rev_is_never_a_duplicate),
        cmocka_unit_test(forgetting_forgets_all),
        cmocka_unit_test(an_event_before_the_beginning_is_no_duplicate),
        cmocka_unit_test(a_full_table_forgets_the_repo_that_was_quiet_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
