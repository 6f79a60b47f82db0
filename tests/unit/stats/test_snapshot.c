/* Unit tests for how a snapshot is shown: each type of a figure, in /metrics and in the status. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/snapshot.h"

static struct snapshot sample(void)
{
    struct snapshot s = {.version = "1.2",
                         .state = "running",
                         .relay_url = "wss://a",
                         .relay_state = "up",
                         .relay_note = "",
                         .redis_state = "ready",
                         .redis_note = "cut \xc3",
                         .used_memory = 5,
                         .max_memory = -1,
                         .stream_length = 7,
                         .dead_letters_length = -1,
                         .relay_is_up = true,
                         .relay_bytes = 11,
                         .lag_s = 3.5411,
                         .eta_s = -1,
                         .last_commit_s = -1,
                         .events_per_s = 12.34,
                         .cursor = 42,
                         .workers = 1,
                         .workers_known = 2};
    s.counts[COUNTER_WRITTEN] = 9;
    s.worker[0] = (struct snapshot_worker){
        .pid = 100, .is_there = true, .state = "ready", .queued = 3, .events = 4, .round_trip_us = 250};
    s.worker[1] = (struct snapshot_worker){.index = 1, .state = "gone", .events = 6};
    s.relays[0] = (struct snapshot_relay){"a", true, 2};
    s.relay_count = 1;
    return s;
}

static void metrics_have(const char *line, bool expected)
{
    const struct snapshot s = sample();
    struct buffer b;
    buffer_init(&b);
    snapshot_write_metrics(&s, &b);
    buffer_append_byte(&b, '\0');
    if ((strstr((const char *)b.data, line) != NULL) != expected)
        fail_msg("%s '%s' in:\n%s", expected ? "missing" : "unexpected", line, (const char *)b.data);
    buffer_fini(&b);
}

static void each_type_has_its_line_in_metrics(void **state)
{
    (void)state;
    metrics_have("firehosed_build_info{version=\"1.2\"} 1\n", true);
    metrics_have("# TYPE firehosed_relay_received_bytes_total counter\nfirehosed_relay_received_bytes_total 11\n",
                 true);
    metrics_have("# TYPE firehosed_relay_connected gauge\nfirehosed_relay_connected 1\n", true);
    metrics_have("\nfirehosed_lag_seconds 3.541100\n", true);
    metrics_have("\nfirehosed_redis_memory_used_bytes 5\n", true);
    metrics_have("\nfirehosed_events_total{outcome=\"written\"} 9\nfirehosed_events_total{outcome=\"filtered\"} 0\n",
                 true);
    metrics_have("\nfirehosed_worker_round_trip_seconds{worker=\"0\"} 0.000250\n", true);
}

static void unknown_figures_are_described_but_have_no_line(void **state)
{
    (void)state;
    metrics_have("# TYPE firehosed_time_to_live_seconds gauge\n", true);
    metrics_have("\nfirehosed_time_to_live_seconds ", false);
    metrics_have("# TYPE firehosed_redis_memory_max_bytes gauge\n", true);
    metrics_have("\nfirehosed_redis_memory_max_bytes ", false);
}

static void counters_of_workers_that_are_gone_stay(void **state)
{
    (void)state;
    metrics_have("\nfirehosed_worker_events_total{worker=\"1\"} 6\n", true);
    metrics_have("firehosed_worker_queued_frames{worker=\"0\"} 3\n", true);
    metrics_have("firehosed_worker_queued_frames{worker=\"1\"}", false);
}

static void every_family_is_described_once(void **state)
{
    (void)state;
    const struct snapshot s = sample();
    struct buffer b;
    buffer_init(&b);
    snapshot_write_metrics(&s, &b);
    buffer_append_byte(&b, '\0');
    for (const char *at = strstr((char *)b.data, "# HELP "); at != NULL; at = strstr(at + 1, "# HELP ")) {
        char name[80];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 7, " ") + 8, at);
        assert_null(strstr(at + 1, name));
    }
    buffer_fini(&b);
}

static json_t *member(const char *group, const char *name)
{
    static json_t *json;
    const struct snapshot s = sample();
    json_decref(json);
    json = snapshot_json(&s);
    return json_object_get(group != NULL ? json_object_get(json, group) : json, name);
}

static void each_type_has_its_value_in_the_status(void **state)
{
    (void)state;
    assert_string_equal(json_string_value(member(NULL, "version")), "1.2");
    assert_int_equal(json_integer_value(member("relay", "bytes")), 11);
    assert_true(json_is_true(member("relay", "connected")));
    assert_string_equal(json_string_value(member(NULL, "cursor")), "42");
    assert_true(json_real_value(member(NULL, "lag_s")) == 3.541);
    assert_true(json_is_null(member(NULL, "eta_s")));
    assert_true(json_real_value(member("rates", "events_per_s")) == 12.3);
    assert_int_equal(json_integer_value(member("redis", "used_memory")), 5);
    assert_true(json_is_null(member("redis", "max_memory")));
    assert_int_equal(json_integer_value(member(NULL, "written")), 9);
    assert_int_equal(json_array_size(member(NULL, "workers")), 1);
    assert_int_equal(json_array_size(member(NULL, "relays")), 1);
}

static void text_that_is_cut_within_a_letter_does_not_spoil_the_status(void **state)
{
    (void)state;
    assert_true(json_is_string(member("redis", "note")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_its_line_in_metrics),
        cmocka_unit_test(unknown_figures_are_described_but_have_no_line),
        cmocka_unit_test(counters_of_workers_that_are_gone_stay),
        cmocka_unit_test(every_family_is_described_once),
        cmocka_unit_test(each_type_has_its_value_in_the_status),
        cmocka_unit_test(text_that_is_cut_within_a_letter_does_not_spoil_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
