/* The marks that the master believes: of each worker those of its own partitions, and no others. */
#include "config.h"

#include "redis/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct marks rising(int64_t first)
{
    struct marks marks;
    for (int p = 0; p < PARTITIONS; p++)
        marks.seq[p] = first + p;
    return marks;
}

static void assert_marks(const struct known_marks *known, const struct marks *expected)
{
    const struct marks found = known_marks_read(known);
    assert_memory_equal(&found, expected, sizeof found);
}

static void worker_changes_what_is_known_of_its_own_partitions_only(void **state)
{
    (void)state;
    struct known_marks *known = known_marks_new();
    struct marks expected = rising(1000);
    known_marks_route(known, 3);
    known_marks_write(known, &expected);
    for (int p = 0; p < PARTITIONS; p++) {
        atomic_store(&known->pages[1].seq[p], INT64_MAX);
        if (p % 3 == 1)
            expected.seq[p] = INT64_MAX;
    }
    assert_marks(known, &expected);
    known_marks_free(known);
}

static void marks_stay_known_when_other_workers_get_the_partitions(void **state)
{
    (void)state;
    static const unsigned workers[] = {1, 7, 2, WORKERS_MAX, 3, 1};
    struct known_marks *known = known_marks_new();
    const struct marks expected = rising(5), none = {0};
    known_marks_write(known, &expected);
    for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++) {
        known_marks_route(known, workers[i]);
        assert_marks(known, &expected);
    }
    known_marks_forget(known);
    assert_marks(known, &none);
    known_marks_free(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_changes_what_is_known_of_its_own_partitions_only),
        cmocka_unit_test(marks_stay_known_when_other_workers_get_the_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
