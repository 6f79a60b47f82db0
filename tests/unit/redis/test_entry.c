/* The fields of a stream's entry, whatever a server puts in their place. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "redis/client.h"

static void a_field_is_found_by_a_name_that_is_a_text(void **state)
{
    (void)state;
    char seq[] = "seq", one[] = "1";
    redisReply number = {.type = REDIS_REPLY_INTEGER, .integer = 7}, nothing = {.type = REDIS_REPLY_NIL};
    redisReply name = {.type = REDIS_REPLY_STRING, .str = seq, .len = 3};
    redisReply value = {.type = REDIS_REPLY_STRING, .str = one, .len = 1};
    redisReply *parts[] = {&number, &value, &nothing, &value, &name, &number, &name, &value, &name};
    redisReply fields = {.type = REDIS_REPLY_ARRAY, .elements = 9, .element = parts};
    redisReply *both[] = {&value, &fields};
    redisReply entry = {.type = REDIS_REPLY_ARRAY, .elements = 2, .element = both};
    assert_true(redis_is_entry(&entry));
    assert_ptr_equal(redis_entry_field(&entry, "seq"), &value);
    assert_null(redis_entry_field(&entry, "frame"));
    fields.elements = 1;
    assert_null(redis_entry_field(&entry, "seq"));
    entry.elements = 1;
    assert_false(redis_is_entry(&entry));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_found_by_a_name_that_is_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
