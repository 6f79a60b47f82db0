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
    s.collections[0] = (struct collection_count){"app.bsky.feed.like", 18, true, .events = 60, .per_s = 1.26};
    s.collections[1] = (struct collection_count){"app.bsky.feed.post", 18, false, .events = 20};
    s.collection_count = 2;
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

static void each_list_has_its_lines_in_metrics(void **state)
{
    (void)state;
    metrics_have("# TYPE firehosed_worker_up gauge\nfirehosed_worker_up{worker=\"0\"} 1\n# HELP", true);
    metrics_have("# TYPE firehosed_worker_restarts_total counter\n"
                 "firehosed_worker_restarts_total{worker=\"0\"} 0\n", true);
    metrics_have("# TYPE firehosed_collection_commits_total counter\n"
                 "firehosed_collection_commits_total{collection=\"app.bsky.feed.like\"} 60\n", true);
    metrics_have("firehosed_collection_commits_total{collection=\"app.bsky.feed.post\"}", false); /* it is not listed */
    metrics_have("\nfirehosed_cursor 42\n", true);
    metrics_have("\nfirehosed_workers 1\n", true);
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

static json_t *list_member(const char *list, const char *name)
{
    return json_object_get(json_array_get(member(NULL, list), 0), name);
}

static void each_list_has_its_objects_in_the_status(void **state)
{
    (void)state;
    assert_int_equal(json_integer_value(list_member("workers", "pid")), 100);
    assert_string_equal(json_string_value(list_member("workers", "state")), "ready");
    assert_int_equal(json_integer_value(list_member("workers", "round_trip_us")), 250);
    assert_true(json_is_real(list_member("workers", "restart_in_s")));
    for (enum counter c = 0; c < COUNTERS; c++)
        assert_true(json_is_integer(list_member("workers", counter_name(c))));
    assert_string_equal(json_string_value(list_member("relays", "name")), "a");
    assert_true(json_is_true(list_member("relays", "current")));
    assert_int_equal(json_array_size(member(NULL, "collections")), 2);
    assert_string_equal(json_string_value(list_member("collections", "name")), "app.bsky.feed.like");
    assert_true(json_real_value(list_member("collections", "per_s")) == 1.3);
    assert_true(json_is_array(member(NULL, "recent_errors")));
}

static void unknown_cursor_is_null_and_a_large_one_is_whole(void **state)
{
    (void)state;
    struct snapshot s = sample();
    s.cursor = -1;
    json_t *json = snapshot_json(&s);
    assert_true(json_is_null(json_object_get(json, "cursor")));
    json_decref(json);
    s.cursor = INT64_MAX;
    json = snapshot_json(&s);
    assert_string_equal(json_string_value(json_object_get(json, "cursor")), "9223372036854775807");
    json_decref(json);
}

static void longest_url_is_not_cut(void **state)
{
    (void)state;
    struct snapshot s = sample();
    memset(s.relay_url, 'a', sizeof s.relay_url - 1);
    json_t *json = snapshot_json(&s);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "relay"), "url")), s.relay_url);
    json_decref(json);
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
        cmocka_unit_test(each_list_has_its_lines_in_metrics),
        cmocka_unit_test(unknown_figures_are_described_but_have_no_line),
        cmocka_unit_test(counters_of_workers_that_are_gone_stay),
        cmocka_unit_test(every_family_is_described_once),
        cmocka_unit_test(each_type_has_its_value_in_the_status),
        cmocka_unit_test(each_list_has_its_objects_in_the_status),
        cmocka_unit_test(unknown_cursor_is_null_and_a_large_one_is_whole),
        cmocka_unit_test(longest_url_is_not_cut),
        cmocka_unit_test(text_that_is_cut_within_a_letter_does_not_spoil_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
