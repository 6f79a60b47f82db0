#include "config.h"

#include "ipc/counters.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What becomes of a worker of slot `own` that writes to slot `other`. */
static int status_after_write(struct counters *counters, unsigned own, unsigned other)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would report it */
        worker_pages_keep(counters, own);
        counter_add(&counters->workers[other].slot, COUNTER_WRITTEN, 5);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_worker_reaches_its_own_slot_and_no_other(void **state)
{
    (void)state;
    static const unsigned slots[] = {0, 1, WORKERS_MAX / 2, WORKERS_MAX - 1};
    struct counters *counters = counters_new();
    assert_non_null(counters);
    uint64_t written = 0;
    for (size_t own = 0; own < sizeof slots / sizeof slots[0]; own++)
        for (size_t other = 0; other < sizeof slots / sizeof slots[0]; other++) {
            int status = status_after_write(counters, slots[own], slots[other]);
            written += own == other ? 5 : 0;
            if (own == other)
                assert_int_equal(status, 0);
            else
                assert_int_equal(WTERMSIG(status), SIGSEGV);
            assert_int_equal(counters_total(counters, COUNTER_WRITTEN), written);
        }
}

static void test_name_of_a_state_that_there_is_not(void **state)
{
    (void)state;
    assert_string_equal(worker_state_name(WORKER_DRAINING), "draining");
    assert_string_equal(worker_state_name(WORKER_DRAINING + 1), "unknown");
    assert_string_equal(worker_state_name(-1), "unknown");
    assert_string_equal(worker_state_name(500000000), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker_reaches_its_own_slot_and_no_other),
        cmocka_unit_test(test_name_of_a_state_that_there_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
