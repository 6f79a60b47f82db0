/* How much of the stream may stay where Redis is out of memory. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "room.h"

enum { MB = 1 << 20 };

static int64_t keep(int64_t used, int64_t max, int64_t length, int64_t bytes)
{
    const struct store_usage u = {.used_memory = used, .max_memory = max, .stream_length = length};
    return room_entries_to_keep(&u, bytes, MB);
}

static void a_stream_is_left_alone_unless_it_fills_a_full_redis(void **state)
{
    (void)state;
    assert_int_equal(keep(100 * MB, 0, 1000, 90 * MB), -1);       /* no limit */
    assert_int_equal(keep(50 * MB, 100 * MB, 1000, 40 * MB), -1); /* not full */
    assert_int_equal(keep(100 * MB, 100 * MB, 1000, 49 * MB), -1); /* something else fills it */
    assert_int_equal(keep(100 * MB, 100 * MB, 1000, -1), -1);      /* Redis does not say */
    assert_int_equal(keep(100 * MB, 100 * MB, 1, 90 * MB), -1);    /* nothing to trim */
    assert_int_equal(keep(100 * MB, 100 * MB, -1, 90 * MB), -1);
}

static void so_much_goes_that_there_is_room_again(void **state)
{
    (void)state;
    int64_t left = keep(160 * MB, 160 * MB, 1000, 100 * MB);
    assert_in_range(left, 880, 890); /* 10 MB and the reserve of 1 MB are 11 % */
    assert_int_equal(keep(160 * MB, 160 * MB, 10, 100 * MB), 8);
    assert_int_equal(keep(160 * MB, 160 * MB, 2, 100 * MB), 1);
    assert_int_equal(keep(300 * MB, 100 * MB, 1000, 200 * MB), 1); /* the newest stays in any case */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_left_alone_unless_it_fills_a_full_redis),
        cmocka_unit_test(so_much_goes_that_there_is_room_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
