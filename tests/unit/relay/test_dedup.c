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

#define NOW_US INT64_C(1800000000000000)

enum { A = 0, B = 1 };

static void a_commit_of_another_relay_is_a_duplicate_if_just_this_one_was_taken(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_1, NOW_US);
    dedup_add(d, A, ALICE, REV_3, NOW_US);
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
    dedup_add(d, A, ALICE, REV_3, NOW_US);
    assert_false(dedup_is_duplicate(d, A, ALICE, REV_3));
    dedup_add(d, A, ALICE, REV_3, NOW_US);
    assert_true(dedup_is_duplicate(d, B, ALICE, REV_3));
    dedup_free(d);
}

static void there_and_back_again(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_1, NOW_US);
    dedup_add(d, B, ALICE, REV_3, NOW_US);
    assert_true(dedup_is_duplicate(d, A, ALICE, REV_3));
    assert_false(dedup_is_duplicate(d, A, ALICE, REV_2)); /* the second relay never sent it */
    dedup_free(d);
}

static void a_commit_without_a_repo_or_a_rev_is_no_duplicate(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, "", 0, REV_1, NOW_US);
    dedup_add(d, A, ALICE, "", 0, NOW_US);
    assert_false(dedup_is_duplicate(d, B, "", 0, REV_1));
    assert_false(dedup_is_duplicate(d, B, ALICE, "", 0));
    dedup_free(d);
}

static void forgetting_forgets_all(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1000);
    dedup_add(d, A, ALICE, REV_1, NOW_US);
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
        dedup_add(d, A, did, (size_t)len, REV_1, NOW_US);
    }
    for (int i = COMMITS - NEWEST; i < COMMITS; i++) {
        int len = snprintf(did, sizeof did, "did:plc:%d", i);
        known += dedup_is_duplicate(d, B, did, (size_t)len, REV_1);
    }
    assert_in_range(known, NEWEST * 98 / 100, NEWEST); /* rows fill unevenly: a few lose their place early */
    assert_false(dedup_is_duplicate(d, B, "did:plc:0", 9, REV_1));
    dedup_free(d);
}

/* The TID of that second. */
static void tid_of(int64_t second, char out[14])
{
    static const char digits[] = "234567abcdefghijklmnopqrstuvwxyz";
    uint64_t number = (uint64_t)second * 1000000 << 10;
    for (int i = 12; i >= 0; i--, number >>= 5)
        out[i] = digits[number & 31];
    out[13] = '\0';
}

/* The first relay was away for longer than the memory reaches. What it sends from that time pushes nothing out. */
static void commits_that_are_older_than_all_in_memory_push_nothing_out(void **state)
{
    (void)state;
    enum { ROOM = 800, COMMITS = 4000 };
    struct dedup *d = dedup_new(ROOM);
    char rev[14];
    for (int64_t s = 0; s < COMMITS; s++) {
        tid_of(1700000000 + s, rev);
        dedup_add(d, B, ALICE, rev, 13, NOW_US);
    }
    int known = 0;
    for (int64_t s = 0; s < COMMITS; s++) {
        tid_of(1700000000 + s, rev);
        if (dedup_is_duplicate(d, A, ALICE, rev, 13))
            known++;
        else
            dedup_add(d, A, ALICE, rev, 13, NOW_US);
    }
    assert_in_range(known, ROOM * 9 / 10, ROOM + 8); /* all that fits in, and no less */
    dedup_free(d);
}

static void a_rev_of_the_future_counts_as_of_now(void **state)
{
    (void)state;
    struct dedup *d = dedup_new(1); /* one row */
    char rev[14];
    for (int i = 0; i < 100; i++) {
        tid_of(NOW_US / 1000000 + 1000000 + i, rev);
        dedup_add(d, A, ALICE, rev, 13, NOW_US);
    }
    tid_of(NOW_US / 1000000, rev);
    dedup_add(d, A, BOB, rev, 13, NOW_US);
    assert_true(dedup_is_duplicate(d, B, BOB, rev, 13));
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
        cmocka_unit_test(commits_that_are_older_than_all_in_memory_push_nothing_out),
        cmocka_unit_test(a_rev_of_the_future_counts_as_of_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
