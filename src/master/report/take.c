/* take.c: the one place that reads the master and the other rooms for figures. A worker's slot is its report: each
 * value is copied once, and the copy is used. */
#include "config.h"

#include "master/report/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "master/checkpoint.h"
#include "master/context.h"
#include "master/ingest.h"
#include "master/transitions.h"

_Static_assert((int)SNAPSHOT_RELAYS >= (int)RELAY_LIST_MAX, "all relays have room");
_Static_assert((int)SNAPSHOT_URL_BYTES >= (int)URL_HOST_BYTES + (int)URL_PATH_BYTES, "any URL has room");

#define TAKE_TEXT(out, text) text_format((out), sizeof(out), "%s", (text))

/* Numbers out of any range would overflow where they are added up. */
static int64_t sane_us(int64_t us) { return us > -INT64_MAX / 4 && us < INT64_MAX / 4 ? us : 0; }

static void take_process(const struct master *m, struct snapshot *s)
{
    s->now_ms = clock_monotonic_ms();
    s->now_us = clock_unix_us();
    s->version = PACKAGE_VERSION;
    s->state = master_state_name(m);
    s->pid = (uint64_t)getpid();
    s->is_running = master_is_running(m) && !m->course.is_paused;
    s->is_stopping = m->course.state == MASTER_STOPPING;
    s->uptime_s = (double)(s->now_ms - m->started_ms) / 1000;
    s->started_s = (double)s->now_us / 1e6 - s->uptime_s;
    s->lag_warn_s = (double)m->config->lag_warn / 1000;
}

/* Without the cursor, the master does not know where to begin. */
static bool waits_for_redis(const struct master *m)
{
    return !master_is_running(m) && m->course.state != MASTER_STOPPING && !store_is_ready(m->store);
}

static void take_relays(const struct master *m, struct snapshot *s)
{
    const struct relay_list *relays = failover_list(m->failover);
    TAKE_TEXT(s->relay_url, relay_shown(m->relay));
    TAKE_TEXT(s->relay_host, relay_host(m->relay));
    TAKE_TEXT(s->relay_note, relay_trouble(m->relay));
    s->relay_state = relay_state_name(relay_state(m->relay));
    if (relay_state(m->relay) == RELAY_STOPPED && waits_for_redis(m)) {
        s->relay_state = "waiting";
        TAKE_TEXT(s->relay_note, "Redis must answer first, it has the cursor");
    }
    s->relay_is_up = relay_is_up(m->relay);
    s->relay_is_paused = relay_is_paused(m->relay);
    s->relay_connects = relay_connects(m->relay);
    s->relay_bytes = relay_bytes(m->relay);
    s->relay_infos = m->totals.infos;
    s->relay_errors = m->totals.errors;
    s->relay_changes = failover_changes(m->failover);
    s->relay_count = relays->count;
    for (unsigned i = 0; i < relays->count; i++) {
        TAKE_TEXT(s->relays[i].name, relays->list[i].name);
        s->relays[i].is_current = i == relays->current;
        s->relays[i].failures = relays->list[i].failures;
    }
}

static void take_redis(const struct master *m, struct snapshot *s)
{
    const struct store_usage *usage = store_usage(m->store);
    TAKE_TEXT(s->redis_note, store_trouble(m->store));
    s->redis_state = store_state_name(m->store);
    s->redis_is_up = store_is_ready(m->store);
    s->used_memory = usage->used_memory;
    s->max_memory = usage->max_memory;
    s->evicted_keys = usage->evicted_keys;
    s->stream_trimmed = store_trimmed(m->store);
    s->foreign_entries = store_foreign_entries(m->store);
    TAKE_TEXT(s->redis_concern, usage->concern[0] != '\0' ? usage->concern : store_memory_note(m->store));
    s->redis_is_unsafe = s->redis_concern[0] != '\0';
    s->stream_length = usage->stream_length;
    s->dead_letters_length = usage->dead_letters_length;
}

static void take_worker(const struct master *m, unsigned i, struct snapshot_worker *out)
{
    const struct worker_slot *slot = &m->counters->workers[i].slot;
    int state = atomic_load_explicit(&slot->state, memory_order_relaxed);
    struct pool_worker_status w;
    pool_worker_status(m->pool, i, &w);
    out->index = i;
    out->pid = (uint64_t)w.pid;
    out->is_there = w.pid != 0;
    out->is_ready = state == WORKER_READY;
    out->keeps_dying = w.keeps_dying;
    out->state = w.pid == 0      ? (w.keeps_dying ? "dying" : "gone")
                 : w.is_draining ? "draining" : worker_state_name(state);
    text_format(out->note, sizeof out->note, "%.*s", WORKER_NOTE_BYTES - 1, slot->note);
    out->restarts = w.restarts;
    out->restart_in_s = (double)w.restart_in_ms / 1000;
    out->queued = ledger_queue_length(m->ledger, i);
    out->batch_events = atomic_load_explicit(&slot->batch_events, memory_order_relaxed);
    out->round_trip_us = atomic_load_explicit(&slot->round_trip_us, memory_order_relaxed);
    out->lag_us = sane_us(atomic_load_explicit(&slot->lag_us, memory_order_relaxed));
    out->commit_us = sane_us(atomic_load_explicit(&slot->commit_us, memory_order_relaxed));
    for (enum counter c = 0; c < COUNTERS; c++)
        out->counts[c] = atomic_load_explicit(&slot->counters[c], memory_order_relaxed);
    out->events = out->counts[COUNTER_WRITTEN] + out->counts[COUNTER_FILTERED] + out->counts[COUNTER_QUARANTINED] +
                  out->counts[COUNTER_DUPLICATE];
}

static void take_workers(const struct master *m, struct snapshot *s)
{
    int64_t newest_us = -1;
    s->workers = s->workers_known = pool_size(m->pool);
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        struct snapshot_worker *w = &s->worker[i];
        take_worker(m, i, w);
        s->in_flight += w->queued;
        for (enum counter c = 0; c < COUNTERS; c++)
            s->counts[c] += w->counts[c];
        if (i >= s->workers_known && (w->restarts > 0 || w->events > 0))
            s->workers_known = i + 1;
        if (w->commit_us > newest_us && w->commit_us > 0)
            newest_us = w->commit_us;
    }
    s->last_commit_s = (double)newest_us / 1e6;
}

static void take_events(const struct master *m, struct snapshot *s)
{
    struct optional cursor = checkpoint_cursor(m);
    s->received = m->totals.received;
    s->counts[COUNTER_FILTERED] += m->totals.filtered;
    s->counts[COUNTER_DUPLICATE] += m->totals.duplicate;
    s->implausible = m->totals.implausible;
    s->log_left_out = log_left_out();
    s->filtered_lag_us = m->totals.filtered_lag_us;
    s->filtered_at_us = m->totals.filtered_at_us;
    s->done = m->progress.done;
    s->cursor = cursor.is_known ? cursor.value : -1;
    s->rewinds = m->course.rewinds;
    s->resets = m->course.resets;
    s->ring_used = ledger_used_bytes(m->ledger);
    s->ring_size = ledger_size_bytes(m->ledger);
    s->ring_records = ledger_record_count(m->ledger);
}

/* Adds what the stats room knows, and what follows from the rest. */
static void conclude(const struct master *m, struct snapshot *s)
{
    traffic_fill(m->traffic, s);
    s->discarded = -s->received; /* all that came, less the events that ingest_discard() did not take out again */
    for (unsigned k = 0; k < EVENT_KINDS; k++)
        s->discarded += s->kinds[k];
    s->is_well = health_is_well(s);
    s->is_ready = health_is_ready(&m->health, s);
}

const struct snapshot *report_take(struct master *m)
{
    struct snapshot *s = &m->snapshot;
    memset(s, 0, sizeof *s);
    take_process(m, s);
    take_relays(m, s);
    take_redis(m, s);
    take_workers(m, s);
    take_events(m, s);
    conclude(m, s);
    return s;
}

static void tick_store(const struct master *m, const struct snapshot *s)
{
    struct store_tally ours = {.written = s->counts[COUNTER_WRITTEN], .in_flight = s->in_flight,
                               .era = s->counts[COUNTER_REDIS_CONNECTS], .ms = clock_monotonic_ms()};
    for (unsigned i = 0; i < s->workers_known; i++)
        ours.era += s->worker[i].restarts;
    store_tick(m->store, &ours);
}

void report_tick(struct master *m)
{
    const struct snapshot *s = report_take(m);
    traffic_tick(m->traffic, s);
    health_tick(&m->health, s);
    conclude(m, &m->snapshot); /* with the new rates, lag and health */
    dashboard_tick(m->dashboard, s);
    service_tick(&m->service, s);
    ingest_want_time(m);
    tick_store(m, s);
}
