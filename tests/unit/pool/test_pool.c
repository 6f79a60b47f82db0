/* Unit tests for the supervision of workers, with real processes that do no work. */
#include "config.h"

#include "pool/pool.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct config config = {.batch_events = 100, .worker_timeout = 5000};

struct fixture {
    struct event_base *base;
    struct ledger *ledger;
    struct known_marks *known;
    struct owner_token owner;
    struct pool *pool;
    unsigned drained, marks_lost;
};

static void count_drained(void *arg) { ((struct fixture *)arg)->drained++; }

/* What the master does while it runs. */
static void abandon(void *arg)
{
    struct fixture *f = arg;
    f->marks_lost++;
    pool_abandon(f->pool);
}

static void ignore_started(void *arg, unsigned index)
{
    (void)arg;
    (void)index;
}

/* Leaves when it is told to, and says that Redis has lost data. */
static void lose_marks_at_the_end(const struct worker_setup *setup)
{
    char byte;
    alarm(60);
    while (read(setup->channel.data, &byte, 1) != 0)
        usleep(1000);
    _exit(IPC_EXIT_MARKS_LOST);
}

static void read_nothing(const struct worker_setup *setup)
{
    (void)setup;
    alarm(60);
    for (;;)
        pause();
}

static int set_up_with(void **state, pool_child_main *child_main)
{
    static struct fixture f;
    struct error why;
    f = (struct fixture){
        .base = event_base_new(), .ledger = ledger_new(65536, 1, &why), .known = known_marks_new()};
    const struct pool_hooks hooks = {
        .arg = &f, .started = ignore_started, .drained = count_drained, .marks_lost = abandon};
    f.pool = pool_new(f.base, NULL, f.ledger, counters_new(), f.known, &config, &f.owner, child_main, &hooks);
    *state = &f;
    return f.pool != NULL ? 0 : -1;
}

static int set_up(void **state) { return set_up_with(state, lose_marks_at_the_end); }
static int set_up_deaf(void **state) { return set_up_with(state, read_nothing); }

static int tear_down(void **state)
{
    struct fixture *f = *state;
    pool_kill(f->pool);
    pool_free(f->pool);
    known_marks_free(f->known);
    ledger_free(f->ledger);
    event_base_free(f->base);
    return 0;
}

static void end_of_a_drain_is_told_once_though_the_last_worker_found_marks_lost(void **state)
{
    struct fixture *f = *state;
    int status;
    pool_start(f->pool, 1, "progress");
    pool_drain(f->pool, false);
    pid_t pid = wait(&status);
    assert_int_equal(f->drained, 0);
    assert_true(pool_reap(f->pool, pid, status));
    assert_int_equal(f->marks_lost, 1);
    assert_int_equal(f->drained, 1);
    assert_true(pool_is_gone(f->pool));
}

static void worker_whose_channel_has_no_room_for_a_ping_is_killed_too(void **state)
{
    struct fixture *f = *state;
    const struct ipc_message m = {.type = IPC_LOG_LEVEL};
    int status;
    config.worker_timeout = 1;
    pool_start(f->pool, 1, "progress");
    for (int i = 0; i < 10000; i++)
        pool_tell(f->pool, 0, &m, -1);
    pool_check(f->pool);
    usleep(5000);
    pool_check(f->pool);
    pid_t pid = wait(&status);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_true(pool_reap(f->pool, pid, status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(end_of_a_drain_is_told_once_though_the_last_worker_found_marks_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(worker_whose_channel_has_no_room_for_a_ping_is_killed_too, set_up_deaf,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
