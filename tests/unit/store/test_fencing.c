/* Unit tests for who owns the slots (slots.h), and whether Redis is older than what is known (verify.h). */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "slots.h"
#include "verify.h"

enum { OURS = 7, THEIRS = 8 };

static struct owner_token token(uint64_t instance, uint64_t epoch, uint64_t generation)
{
    return (struct owner_token){instance, epoch << 32 | generation};
}

static enum standing standing_of(struct owner_token holder)
{
    const struct owner_token ours = token(OURS, 5, 3);
    struct owner_token found;
    char text[OWNER_TOKEN_BYTES];
    owner_format(&holder, text);
    enum standing standing = slots_standing(&ours, text, &found);
    assert_memory_equal(&found, &holder, sizeof found);
    return standing;
}

static void the_epoch_tells_who_came_later(void **state)
{
    (void)state;
    assert_int_equal(standing_of(token(OURS, 5, 1)), STANDING_OURS);
    assert_int_equal(standing_of(token(THEIRS, 6, 0)), STANDING_SUCCESSOR);
    assert_int_equal(standing_of(token(THEIRS, 5, 9)), STANDING_SUCCESSOR); /* both began at once */
    assert_int_equal(standing_of(token(THEIRS, 4, 9)), STANDING_OUTDATED);
    assert_int_equal(standing_of(token(OURS, 4, 9)), STANDING_OUTDATED); /* from before the last plan */
    assert_int_equal(standing_of(token(OURS, 6, 1)), STANDING_OURS); /* a plan whose answer was lost */
}

static void key_that_is_gone_or_no_token_is_nobodys(void **state)
{
    (void)state;
    const struct owner_token ours = token(OURS, 5, 3);
    struct owner_token found;
    assert_int_equal(slots_standing(&ours, NULL, &found), STANDING_NOBODYS);
    assert_int_equal(slots_standing(&ours, "somebody", &found), STANDING_NOBODYS);
    assert_int_equal(found.generation, 0);
}

static uint64_t next(struct owner_token found, bool new_epoch)
{
    const struct owner_token ours = token(OURS, 5, 3);
    struct owner_token token = slots_next_token(&ours, &found, new_epoch);
    assert_int_equal(token.instance, OURS);
    return token.generation;
}

static void new_epoch_is_above_both(void **state)
{
    (void)state;
    assert_int_equal(next(token(THEIRS, 9, 4), true), UINT64_C(10) << 32 | 1);
    assert_int_equal(next(token(THEIRS, 2, 4), true), UINT64_C(6) << 32 | 1);
    assert_int_equal(next(token(0, 0, 0), true), UINT64_C(6) << 32 | 1);
}

static void taking_the_own_slots_again_stays_in_the_epoch(void **state)
{
    (void)state;
    assert_int_equal(next(token(OURS, 5, 3), false), UINT64_C(5) << 32 | 4);
    assert_int_equal(next(token(0, 0, 0), false), UINT64_C(5) << 32 | 4);
}

/* The owner keys are deleted while the successor lives: whatever plan the first firehosed writes then, the successor
 * stays the later one. */
static void firehosed_that_was_taken_over_stays_below_its_successor(void **state)
{
    (void)state;
    const struct owner_token first = token(OURS, 5, 3), nobody = {0}, fresh = {.instance = THEIRS};
    struct owner_token taken = slots_next_token(&fresh, &first, true);
    struct owner_token successor = slots_next_token(&taken, &first, true); /* with its first plan */
    struct owner_token again = slots_next_token(&first, &nobody, true), found;
    char text[OWNER_TOKEN_BYTES];
    owner_format(&successor, text);
    assert_int_equal(slots_standing(&again, text, &found), STANDING_SUCCESSOR);
    owner_format(&again, text);
    assert_int_equal(slots_standing(&successor, text, &found), STANDING_OUTDATED);
}

static struct verify_case intact(void)
{
    struct verify_case v = {.saved = optional_of(100), .record = {.copy = optional_of(100), .knows_relay = true}};
    v.known.seq[3] = v.marks.seq[3] = 120;
    return v;
}

static void redis_with_all_that_is_known_is_intact(void **state)
{
    (void)state;
    int p = 0;
    struct verify_case v = intact();
    assert_int_equal(verify_compare(&v, &p), VERIFY_INTACT);
    v.record.copy = optional_of(105); /* a save whose answer was lost */
    v.marks.seq[3] = 130;             /* a transaction whose answer was lost */
    assert_int_equal(verify_compare(&v, &p), VERIFY_INTACT);
    v.saved = optional_none();
    assert_int_equal(verify_compare(&v, &p), VERIFY_INTACT);
}

static void redis_that_went_back_is_told(void **state)
{
    (void)state;
    int p = 0;
    struct verify_case v = intact();
    v.record.copy = optional_of(99);
    assert_int_equal(verify_compare(&v, &p), VERIFY_CURSOR_IS_OLD);
    v = intact();
    v.marks.seq[3] = 119;
    assert_int_equal(verify_compare(&v, &p), VERIFY_MARK_IS_OLD);
    assert_int_equal(p, 3);
    v = intact();
    v.record = (struct record){0};
    v.marks = (struct marks){0};
    assert_int_equal(verify_compare(&v, &p), VERIFY_KEY_GONE);
}

static void owner_decides_before_marks_that_may_be_of_another_sequence(void **state)
{
    (void)state;
    int p = 0;
    struct verify_case v = intact();
    v.marks.seq[3] = 1000;
    v.standing = STANDING_OUTDATED;
    assert_int_equal(verify_compare(&v, &p), VERIFY_OWNER_IS_OLD);
    v.standing = STANDING_SUCCESSOR;
    assert_int_equal(verify_compare(&v, &p), VERIFY_TAKEN_OVER);
    v.standing = STANDING_NOBODYS;
    assert_int_equal(verify_compare(&v, &p), VERIFY_INTACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_epoch_tells_who_came_later),
        cmocka_unit_test(key_that_is_gone_or_no_token_is_nobodys),
        cmocka_unit_test(new_epoch_is_above_both),
        cmocka_unit_test(taking_the_own_slots_again_stays_in_the_epoch),
        cmocka_unit_test(firehosed_that_was_taken_over_stays_below_its_successor),
        cmocka_unit_test(redis_with_all_that_is_known_is_intact),
        cmocka_unit_test(redis_that_went_back_is_told),
        cmocka_unit_test(owner_decides_before_marks_that_may_be_of_another_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
