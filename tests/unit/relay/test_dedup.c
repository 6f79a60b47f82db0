/* Events that another relay sends again are recognised by repo and rev; nothing else is taken for one. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "relay/dedup.h"

#define ALICE "did:plc:alice", 13
#define BOB   "did:plc:bob", 11
#define REV_1 "3l2222222222a", 13
#define REV_2 "3l2222222222b", 13
#define REV_3 "3l222222222za", 13

enum { A = 0, B = 1 };

static void a_commit_of_another_relay_is_a_duplicate_if_just_this_one_was_taken(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_1);
    dedup_add(d, A, ALICE, REV_3);
    assert_true(dedup_is_duplicate(d, B, ALICE, REV_1));
    assert_true(dedup_is_duplicate(d, B, ALICE, REV_3));
    assert_false(dedup_is_duplicate(d, B, ALICE, REV_2)); /* the first relay has left it out */
    assert_false(dedup_is_duplicate(d, B, BOB, REV_1));
    dedup_free(d);
}

static void the_same_relay_is_never_held_against_itself(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_3);
    assert_false(dedup_is_duplicate(d, A, ALICE, REV_3));
    dedup_add(d, A, ALICE, REV_3);
    assert_true(dedup_is_duplicate(d, B, ALICE, REV_3));
    dedup_free(d);
}

static void there_and_back_again(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_1);
    dedup_add(d, B, ALICE, REV_3);
    assert_true(dedup_is_duplicate(d, A, ALICE, REV_3));
    assert_false(dedup_is_duplicate(d, A, ALICE, REV_2)); /* the second relay never sent it */
    dedup_free(d);
}

static void a_commit_without_a_repo_or_a_rev_is_no_duplicate(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, "", 0, REV_1);
    dedup_add(d, A, ALICE, "", 0);
    assert_false(dedup_is_duplicate(d, B, "", 0, REV_1));
    assert_false(dedup_is_duplicate(d, B, ALICE, "", 0));
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

/* The oldest make room: of ten times as many commits as there is room for, the newest are known, in fixed memory. */
static void a_full_table_forgets_the_oldest(void **state)
{
    (void)state;
    enum { ROOM = 8000, COMMITS = 80000, NEWEST = 2000 };
    struct dedup *d = dedup_new(ROOM);
    char did[32];
    int known = 0;
    for (int i = 0; i < COMMITS; i++) {
        int len = snprintf(did, sizeof did, "did:plc:%d", i);
        dedup_add(d, A, did, (size_t)len, REV_1);
    }
    for (int i = COMMITS - NEWEST; i < COMMITS; i++) {
        int len = snprintf(did, sizeof did, "did:plc:%d", i);
        known += dedup_is_duplicate(d, B, did, (size_t)len, REV_1);
    }
    assert_in_range(known, NEWEST * 98 / 100, NEWEST); /* rows fill unevenly: a few lose their place early */
    assert_false(dedup_is_duplicate(d, B, "did:plc:0", 9, REV_1));
    dedup_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_of_another_relay_is_a_duplicate_if_just_this_one_was_taken),
        cmocka_unit_test(the_same_relay_is_never_held_against_itself),
        cmocka_unit_test(there_and_back_again),
        cmocka_unit_test(a_commit_without_a_repo_or_a_rev_is_no_duplicate),
        cmocka_unit_test(forgetting_forgets_all),
        cmocka_unit_test(a_full_table_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
