/* status.c: how it all is, as one JSON object: what firehosectl and tests read. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/log_shared.h"
#include "master/report/status.h"
#include "master/checkpoint.h"
#include "master/context.h"
#include "master/transitions.h"

static json_t *cursor_json(const struct master *m)
{
    struct optional cursor = checkpoint_cursor(m);
    char decimal[24];
    snprintf(decimal, sizeof decimal, "%" PRId64, cursor.value);
    return cursor.is_known ? json_string(decimal) : json_null();
}

static json_t *relays_json(const struct master *m)
{
    const struct relay_list *relays = failover_list(m->failover);
    json_t *list = json_array();
    for (unsigned i = 0; i < relays->count; i++)
        json_array_append_new(list, json_pack("{s:s,s:b,s:I}", "name", relays->list[i].name, "current",
                                              i == relays->current, "failures",
                                              (json_int_t)relays->list[i].failures));
    return list;
}

static json_t *worker_json(const struct master *m, unsigned i)
{
    const struct worker_slot *slot = &m->counters->workers[i];
    struct pool_worker_status w;
    pool_worker_status(m->pool, i, &w);
    int state = atomic_load_explicit(&slot->state, memory_order_relaxed);
    char note[WORKER_NOTE_BYTES];
    snprintf(note, sizeof note, "%.*s", (int)sizeof note - 1, slot->note);
    utf8_repair(note); /* it may be cut within a letter, and json_pack() would refuse all of the worker */
    json_t *json = json_pack("{s:i,s:i,s:s,s:s,s:I,s:I,s:I,s:I}", "index", (int)i, "pid", (int)w.pid, "state",
                             w.pid == 0      ? (w.keeps_dying ? "dying" : "gone")
                             : w.is_draining ? "draining"
                                             : worker_state_name((enum worker_state)state),
                             "note", note, "restarts", (json_int_t)w.restarts, "queued",
                             (json_int_t)ledger_queue_length(m->ledger, i), "round_trip_us",
                             (json_int_t)atomic_load(&slot->round_trip_us), "batch_events",
                             (json_int_t)atomic_load(&slot->batch_events));
    if (json != NULL) {
        json_object_set_new(json, "per_s", json_real((double)(int64_t)(traffic_worker_per_s(m->traffic, i) * 10) / 10));
        json_object_set_new(json, "keeps_dying", json_boolean(w.keeps_dying));
        json_object_set_new(json, "restart_in_s", json_real((double)w.restart_in_ms / 1000));
    }
    for (unsigned c = 0; json != NULL && c < COUNTERS; c++)
        json_object_set_new(json, counter_name((enum counter)c),
                            json_integer((json_int_t)atomic_load(&slot->counters[c])));
    return json;
}

/* The newest warnings and errors of all processes, newest first. */
static json_t *recent_errors_json(void)
{
    struct log_recent lines[LOG_RECENT_LINES];
    char time[CLOCK_TEXT_BYTES];
    size_t count = log_recent_read(lines, LOG_RECENT_LINES);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:i,s:s}", "time", clock_format_utc(lines[i].time_us, time),
                                              "level", log_level_name(lines[i].level), "process", lines[i].process,
                                              "pid", lines[i].pid, "text", lines[i].text));
    return list;
}

static json_t *balance_json(const struct master *m, json_t *json)
{
    uint64_t written = counters_total(m->counters, COUNTER_WRITTEN);
    uint64_t filtered = counters_total(m->counters, COUNTER_FILTERED) + m->totals.filtered;
    uint64_t quarantined = counters_total(m->counters, COUNTER_QUARANTINED);
    uint64_t duplicate = counters_total(m->counters, COUNTER_DUPLICATE) + m->totals.duplicate;
    uint64_t in_flight = 0;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        in_flight += ledger_queue_length(m->ledger, i);
    json_object_set_new(json, "recent_errors", recent_errors_json());
    json_object_set_new(json, "received", json_integer((json_int_t)m->totals.received));
    json_object_set_new(json, "written", json_integer((json_int_t)written));
    json_object_set_new(json, "filtered", json_integer((json_int_t)filtered));
    json_object_set_new(json, "quarantined", json_integer((json_int_t)quarantined));
    json_object_set_new(json, "duplicate", json_integer((json_int_t)duplicate));
    json_object_set_new(json, "in_flight", json_integer((json_int_t)in_flight));
    return json;
}

static json_t *known(int64_t value)
{
    return value >= 0 ? json_integer((json_int_t)value) : json_null();
}

static json_t *redis_json(const struct master *m)
{
    const struct store_usage *f = store_usage(m->store);
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "state", store_state_name(m->store), "note",
                     store_trouble(m->store), "used_memory", known(f->used_memory), "max_memory",
                     known(f->max_memory), "stream_length", known(f->stream_length), "dead_letters_length",
                     known(f->dead_letters_length));
}

json_t *status_json(struct master *m)
{
    json_t *workers = json_array();
    for (unsigned i = 0; i < pool_size(m->pool); i++)
        json_array_append_new(workers, worker_json(m, i));
    json_t *ops = json_object();
    for (unsigned c = COUNTER_OP_NO_CID; c <= COUNTER_OP_FILTERED; c++)
        json_object_set_new(ops, counter_name((enum counter)c),
                            json_integer((json_int_t)counters_total(m->counters, c)));
    json_t *json = json_pack(
        "{s:s,s:s,s:i,s:f,s:{s:s,s:s,s:b,s:b,s:I,s:I,s:s,s:I,s:I},s:o,s:I,s:I,s:I,s:{s:I,s:I,s:I},s:o,s:o,s:o}",
        "version", PACKAGE_VERSION, "state", master_state_name(m), "pid", (int)getpid(), "uptime_s",
        (double)(clock_monotonic_ms() - m->started_ms) / 1000, "relay", "url", relay_shown(m->relay), "state",
        relay_state_name(relay_state(m->relay)), "connected", relay_is_up(m->relay), "paused",
        relay_is_paused(m->relay), "connects", (json_int_t)relay_connects(m->relay), "bytes",
        (json_int_t)relay_bytes(m->relay), "note", relay_trouble(m->relay), "infos", (json_int_t)m->totals.infos,
        "errors", (json_int_t)m->totals.errors, "cursor", cursor_json(m), "rewinds", (json_int_t)m->course.rewinds,
        "resets", (json_int_t)m->course.resets, "rogue_seqs", (json_int_t)m->totals.implausible, "ring", "used_bytes",
        (json_int_t)ledger_used_bytes(m->ledger),
        "size_bytes", (json_int_t)ledger_size_bytes(m->ledger), "records",
        (json_int_t)ledger_record_count(m->ledger), "ops_left_out", ops, "redis", redis_json(m),
        "workers", workers);
    if (json != NULL) {
        json_object_set_new(json, "relays", relays_json(m));
        json_object_set_new(json, "relay_changes", json_integer((json_int_t)failover_changes(m->failover)));
    }
    if (json != NULL)
        traffic_add_json(m->traffic, json);
    return json != NULL ? balance_json(m, json) : NULL;
}
