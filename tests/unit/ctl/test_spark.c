/* A series becomes bars: the newest sample is on the right, and every value above 0 is visible. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spark.h"

static void test_fewer_samples_than_cells_stand_at_the_right(void **state)
{
    (void)state;
    const double samples[] = {1, 5, 3};
    double cells[5];
    assert_true(spark_fold(samples, 3, SPARK_MEAN, cells, 5) == 5);
    const double expected[] = {-1, -1, 1, 5, 3};
    for (int i = 0; i < 5; i++)
        assert_true(cells[i] == expected[i]);
}

static void test_more_samples_than_cells_are_folded_without_a_gap(void **state)
{
    (void)state;
    double samples[600], cells[7], sum = 0;
    for (int i = 0; i < 600; i++)
        samples[i] = i;
    assert_true(spark_fold(samples, 600, SPARK_MAX, cells, 7) == 599);
    for (int i = 1; i < 7; i++)
        assert_true(cells[i] > cells[i - 1]);
    for (int i = 0; i < 600; i++)
        samples[i] = 10;
    spark_fold(samples, 600, SPARK_MEAN, cells, 7);
    for (int i = 0; i < 7; i++)
        sum += cells[i];
    assert_true(sum == 70);
}

static void test_what_is_not_known_does_not_count(void **state)
{
    (void)state;
    const double samples[] = {-1, -1, -1, 4, 2, -1};
    double cells[3];
    assert_true(spark_fold(samples, 6, SPARK_MEAN, cells, 3) == 4);
    assert_true(cells[0] == -1 && cells[1] == 4 && cells[2] == 2);
    assert_true(spark_fold(samples, 0, SPARK_MEAN, cells, 3) == 0);
    assert_true(cells[0] == -1 && cells[2] == -1);
    assert_true(spark_fold(samples, 6, SPARK_MEAN, cells, 0) == 0);
}

static void test_levels_fill_rows_from_below(void **state)
{
    (void)state;
    assert_int_equal(spark_level(100, 100, 1, 0), 8);
    assert_int_equal(spark_level(50, 100, 1, 0), 4);
    assert_int_equal(spark_level(0, 100, 1, 0), 0);
    assert_int_equal(spark_level(-1, 100, 1, 0), 0);
    assert_int_equal(spark_level(5, 0, 1, 0), 0);
    assert_int_equal(spark_level(0.001, 100, 1, 0), 1); /* a small value still shows */
    assert_int_equal(spark_level(75, 100, 4, 0), 0);
    assert_int_equal(spark_level(75, 100, 4, 1), 8);
    assert_int_equal(spark_level(75, 100, 4, 3), 8);
    assert_int_equal(spark_level(80, 100, 4, 0), 2);
    assert_int_equal(spark_level(200, 100, 2, 0), 8); /* a value above the maximum fills the cell, and no more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fewer_samples_than_cells_stand_at_the_right),
        cmocka_unit_test(test_more_samples_than_cells_are_folded_without_a_gap),
        cmocka_unit_test(test_what_is_not_known_does_not_count),
        cmocka_unit_test(test_levels_fill_rows_from_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
