/* Well or not, ready or not, and why. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "stats/health.h"

/* Two workers, all as it should be. */
static struct snapshot fine(void)
{
    struct snapshot s = {
        .state = "running",
        .is_running = true,
        .relay_is_up = true,
        .relay_state = "up",
        .relay_note = "",
        .redis_is_up = true,
        .redis_state = "ready",
        .redis_note = "",
        .lag_s = 0.2,
        .lag_warn_s = 60,
        .workers = 2,
    };
    for (unsigned i = 0; i < 2; i++)
        s.worker[i] = (struct snapshot_worker){.is_there = true, .is_ready = true, .state = "ready"};
    return s;
}

static void assert_reason(json_t *json, const char *member, const char *expected)
{
    char *text = json_dumps(json_object_get(json, member), JSON_COMPACT);
    if (strstr(text, expected) == NULL)
        fail_msg("%s of %s lacks '%s'", member, text, expected);
    free(text);
    json_decref(json);
}

static void all_well_has_no_reasons(void **state)
{
    (void)state;
    struct health h = {0};
    struct snapshot s = fine();
    health_tick(&h, &s);
    assert_true(health_is_well(&s));
    assert_true(health_is_ready(&h, &s));
    assert_reason(health_json(&s), "reasons", "[]");
    assert_reason(health_ready_json(&h, &s), "notes", "[]");
}

static void absent_peers_are_unready_but_not_unwell(void **state)
{
    (void)state;
    struct health h = {0};
    struct snapshot s = fine();
    s.redis_is_up = false;
    s.redis_state = "offline";
    strcpy(s.redis_note, "connection refused");
    s.relay_is_up = false;
    s.relay_state = "backoff";
    assert_true(health_is_well(&s));
    assert_false(health_is_ready(&h, &s));
    assert_reason(health_ready_json(&h, &s), "reasons", "redis: offline: connection refused");
    assert_reason(health_json(&s), "notes", "relay: backoff");
}

static void worker_that_keeps_dying_is_unwell(void **state)
{
    (void)state;
    struct health h = {0};
    struct snapshot s = fine();
    s.worker[1].restarts = 3;
    assert_true(health_is_well(&s));
    s.worker[1].keeps_dying = true;
    assert_false(health_is_well(&s));
    assert_true(health_is_ready(&h, &s)); /* just now it is there */
    assert_reason(health_json(&s), "reasons", "worker 1 keeps dying (3 restarts so far)");
    assert_reason(health_ready_json(&h, &s), "notes", "worker 1 keeps dying");
}

static void frames_that_wait_uncommitted_are_unready(void **state)
{
    (void)state;
    struct health h = {0};
    struct snapshot s = fine();
    s.worker[0].queued = 7;
    for (int i = 0; i <= HEALTH_STUCK_S; i++) {
        assert_true(health_is_ready(&h, &s));
        health_tick(&h, &s);
    }
    assert_false(health_is_ready(&h, &s));
    assert_reason(health_ready_json(&h, &s), "reasons", "worker 0: nothing committed for 10 s, 7 frames wait");
    s.worker[0].events = 1;
    health_tick(&h, &s);
    assert_true(health_is_ready(&h, &s));
}

static void idleness_is_not_standing_still(void **state)
{
    (void)state;
    struct health h = {0};
    struct snapshot s = fine();
    for (int i = 0; i < 1000; i++)
        health_tick(&h, &s);
    s.worker[0].queued = 1;
    health_tick(&h, &s);
    assert_true(health_is_ready(&h, &s));
}

static void other_states_of_master_and_workers_are_unready(void **state)
{
    (void)state;
    struct health h = {0};
    struct snapshot s = fine();
    s.is_running = false;
    s.state = "starting";
    s.workers = 0;
    assert_reason(health_ready_json(&h, &s), "reasons", "firehosed is starting");
    s = fine();
    s.worker[1].is_there = false;
    strcpy(s.worker[1].note, "was killed \xc3"); /* cut within a letter */
    assert_reason(health_ready_json(&h, &s), "reasons", "worker 1: gone: was killed ?");
    assert_true(health_is_well(&s));
}

static void lag_and_a_full_ring_are_noted(void **state)
{
    (void)state;
    struct health h = {0};
    struct snapshot s = fine();
    s.lag_s = 61;
    s.relay_is_paused = true;
    assert_reason(health_json(&s), "notes", "behind the network by 61 s");
    assert_reason(health_ready_json(&h, &s), "notes", "the ring is full");
    s.lag_warn_s = 0;
    s.relay_is_paused = false;
    assert_reason(health_json(&s), "notes", "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_well_has_no_reasons),
        cmocka_unit_test(absent_peers_are_unready_but_not_unwell),
        cmocka_unit_test(worker_that_keeps_dying_is_unwell),
        cmocka_unit_test(frames_that_wait_uncommitted_are_unready),
        cmocka_unit_test(idleness_is_not_standing_still),
        cmocka_unit_test(other_states_of_master_and_workers_are_unready),
        cmocka_unit_test(lag_and_a_full_ring_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
