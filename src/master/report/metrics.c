/* metrics.c: every figure in the text format that Prometheus reads (version 0.0.4). Names and units are documented in
 * doc/monitoring.md. Counters come from shared memory and from the master, and so never go back while it lives. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "master/report/metrics.h"
#include "master/checkpoint.h"
#include "master/context.h"
#include "master/report/sample.h"

/* ---- the format ---- */

static void family(struct buffer *b, const char *name, const char *type, const char *help)
{
    buffer_append_format(b, "# HELP firehosed_%s %s\n# TYPE firehosed_%s %s\n", name, help, name, type);
}

static void counter(struct buffer *b, const char *name, const char *help, uint64_t value)
{
    family(b, name, "counter", help);
    buffer_append_format(b, "firehosed_%s %" PRIu64 "\n", name, value);
}

static void gauge(struct buffer *b, const char *name, const char *help, int64_t value)
{
    family(b, name, "gauge", help);
    buffer_append_format(b, "firehosed_%s %" PRId64 "\n", name, value);
}

/* These are there only while they are known, that is, not below 0. What it is is told all the same. */
static void known_gauge(struct buffer *b, const char *name, const char *help, int64_t value)
{
    family(b, name, "gauge", help);
    if (value >= 0)
        buffer_append_format(b, "firehosed_%s %" PRId64 "\n", name, value);
}

static void known_seconds(struct buffer *b, const char *name, const char *help, double value)
{
    family(b, name, "gauge", help);
    if (value >= 0)
        buffer_append_format(b, "firehosed_%s %.6f\n", name, value);
}

/* One of a family with one label; the value of the label needs no escape. */
static void labelled(struct buffer *b, const char *name, const char *label, const char *of, uint64_t value)
{
    buffer_append_format(b, "firehosed_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, of, value);
}

/* ---- by subject ---- */

static void write_process(const struct master *m, struct buffer *b)
{
    struct health_sample s;
    sample_health(m, &s);
    family(b, "build_info", "gauge", "The version that runs; always 1.");
    labelled(b, "build_info", "version", PACKAGE_VERSION, 1);
    known_seconds(b, "start_time_seconds", "When this master was started, since 1970.",
                  (double)clock_unix_us() / 1e6 - (double)(clock_monotonic_ms() - m->started_ms) / 1e3);
    gauge(b, "healthy", "1 if /healthz says so: no worker keeps dying.", health_is_well(&s));
    gauge(b, "ready", "1 if /readyz says so: connected to the relay and committing.", health_is_ready(&m->health, &s));
}

static void write_relay(const struct master *m, struct buffer *b)
{
    gauge(b, "relay_connected", "1 while the relay is connected.", relay_is_up(m->relay));
    gauge(b, "relay_paused", "1 while the relay is not read, as the ring is full.", relay_is_paused(m->relay));
    counter(b, "relay_connects_total", "Connections to the relay that came up.", relay_connects(m->relay));
    counter(b, "relay_changes_total", "Changes from one relay of the list to another.", failover_changes(m->failover));
    counter(b, "relay_received_bytes_total", "Bytes received from the relay.", relay_bytes(m->relay));
    counter(b, "relay_infos_total", "Info frames from the relay (OutdatedCursor).", m->totals.infos);
    counter(b, "relay_errors_total", "Error frames from the relay (FutureCursor, ConsumerTooSlow).", m->totals.errors);
}

static void write_events(const struct master *m, struct buffer *b)
{
    static const enum frame_kind kinds[] = {FRAME_COMMIT, FRAME_SYNC, FRAME_IDENTITY, FRAME_ACCOUNT, FRAME_UNKNOWN};
    const struct traffic_kinds *k = traffic_kinds(m->traffic);
    uint64_t in_flight = 0, received = 0;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        in_flight += ledger_queue_length(m->ledger, i);
    family(b, "events_received_total", "counter", "Events received from the relay, by kind.");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        labelled(b, "events_received_total", "kind", frame_kind_name(kinds[i]), k->counts[kinds[i]]);
        received += k->counts[kinds[i]];
    }
    family(b, "events_total", "counter",
           "What became of events: written to the stream, filtered, quarantined, duplicate.");
    labelled(b, "events_total", "outcome", "written", counters_total(m->counters, COUNTER_WRITTEN));
    labelled(b, "events_total", "outcome", "filtered", counters_total(m->counters, COUNTER_FILTERED) + m->totals.filtered);
    labelled(b, "events_total", "outcome", "quarantined", counters_total(m->counters, COUNTER_QUARANTINED));
    labelled(b, "events_total", "outcome", "duplicate",
             counters_total(m->counters, COUNTER_DUPLICATE) + m->totals.duplicate);
    /* All that came, less what the balance still counts as received: see rewind_when_quiet(). */
    counter(b, "events_discarded_total", "Events dropped unwritten, to be read again after Redis had lost data.",
            received - m->totals.received);
    gauge(b, "events_in_flight", "Events between relay and commit.", (int64_t)in_flight);
    family(b, "ops_left_out_total", "counter", "Operations of commits that were left out, by reason.");
    for (unsigned c = COUNTER_OP_NO_CID; c <= COUNTER_OP_FILTERED; c++)
        labelled(b, "ops_left_out_total", "reason", counter_name((enum counter)c) + sizeof "ops_" - 1,
                 counters_total(m->counters, (enum counter)c));
}

/* Those that were among the most frequent once, so that no line comes and goes. */
static void write_collections(const struct master *m, struct buffer *b)
{
    const struct collection_counts *census = traffic_collections(m->traffic);
    const struct collection_count *entries;
    size_t count = collection_counts_all(census, &entries);
    family(b, "collection_commits_total", "counter",
           "Commits received by collection of their first operation, for the most frequent ones.");
    for (size_t i = 0; i < count; i++)
        if (entries[i].is_listed)
            buffer_append_format(b, "firehosed_collection_commits_total{collection=\"%.*s\"} %" PRIu64 "\n",
                                 (int)entries[i].len, entries[i].name, entries[i].events);
    counter(b, "collection_other_commits_total", "Commits of collections that the bounded table has no room for.",
            collection_counts_other(census));
}

static void write_lag(const struct master *m, struct buffer *b)
{
    int64_t newest = 0;
    struct optional cursor = checkpoint_cursor(m);
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        int64_t at = atomic_load_explicit(&m->counters->workers[i].commit_us, memory_order_relaxed);
        newest = at > newest ? at : newest;
    }
    known_seconds(b, "lag_seconds", "Age of events when they are committed. Absent while it is not known.",
                  traffic_lag_s(m->traffic));
    known_seconds(b, "time_to_live_seconds", "Estimated time until it has caught up. Absent when live.",
                  traffic_eta_s(m->traffic));
    known_seconds(b, "last_commit_timestamp_seconds", "When events were last committed, since 1970.",
                  newest > 0 ? (double)newest / 1e6 : LAG_UNKNOWN);
    known_gauge(b, "cursor", "The relay's sequence number up to which all is committed.", cursor.is_known ? cursor.value : -1);
    counter(b, "rewinds_total", "How often Redis had lost data and the relay was read again.", m->course.rewinds);
    counter(b, "sequence_resets_total", "How often the relay's sequence began anew.", m->course.resets);
    counter(b, "rogue_seqs_total", "Sequence numbers that turned out to be none of the sequence.", m->totals.implausible);
}

static void write_ring(const struct master *m, struct buffer *b)
{
    gauge(b, "ring_used_bytes", "Bytes of frames between relay and commit.", (int64_t)ledger_used_bytes(m->ledger));
    gauge(b, "ring_size_bytes", "Bytes that the ring has room for.", (int64_t)ledger_size_bytes(m->ledger));
    gauge(b, "ring_frames", "Frames in the ring.", (int64_t)ledger_record_count(m->ledger));
}

/* ---- workers: those that are, and those that were: a counter that vanished would make sums go back ---- */

static uint64_t events_of(const struct worker_slot *slot)
{
    return atomic_load(&slot->counters[COUNTER_WRITTEN]) + atomic_load(&slot->counters[COUNTER_FILTERED]) +
           atomic_load(&slot->counters[COUNTER_QUARANTINED]) + atomic_load(&slot->counters[COUNTER_DUPLICATE]);
}

static void of_worker(struct buffer *b, const char *name, unsigned worker, uint64_t value)
{
    buffer_append_format(b, "firehosed_%s{worker=\"%u\"} %" PRIu64 "\n", name, worker, value);
}

static void write_workers(const struct master *m, struct buffer *b)
{
    struct pool_worker_status status[WORKERS_MAX];
    unsigned size = pool_size(m->pool), shown = size;
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        pool_worker_status(m->pool, i, &status[i]);
        if (i >= shown && (status[i].restarts > 0 || events_of(&m->counters->workers[i]) > 0))
            shown = i + 1;
    }
    gauge(b, "workers", "How many workers there should be.", size);
    family(b, "worker_up", "gauge", "1 while the worker's process is there.");
    for (unsigned i = 0; i < size; i++)
        of_worker(b, "worker_up", i, status[i].pid != 0);
    family(b, "worker_restarts_total", "counter", "How often the worker died and was replaced.");
    for (unsigned i = 0; i < shown; i++)
        of_worker(b, "worker_restarts_total", i, status[i].restarts);
    family(b, "worker_events_total", "counter", "Events that the worker has dealt with, whatever became of them.");
    for (unsigned i = 0; i < shown; i++)
        of_worker(b, "worker_events_total", i, events_of(&m->counters->workers[i]));
    family(b, "worker_queued_frames", "gauge", "Frames that wait for the worker's commit.");
    for (unsigned i = 0; i < size; i++)
        of_worker(b, "worker_queued_frames", i, ledger_queue_length(m->ledger, i));
    family(b, "worker_batch_events", "gauge", "Events in the worker's last transaction.");
    for (unsigned i = 0; i < size; i++)
        of_worker(b, "worker_batch_events", i, atomic_load(&m->counters->workers[i].batch_events));
    family(b, "worker_round_trip_seconds", "gauge", "How long the worker's last transaction took.");
    for (unsigned i = 0; i < size; i++)
        buffer_append_format(b, "firehosed_worker_round_trip_seconds{worker=\"%u\"} %.6f\n", i,
                             (double)atomic_load(&m->counters->workers[i].round_trip_us) / 1e6);
}

static void write_redis(const struct master *m, struct buffer *b)
{
    const struct store_usage *f = store_usage(m->store);
    counter(b, "redis_transactions_total", "Transactions that were executed.",
            counters_total(m->counters, COUNTER_BATCHES));
    counter(b, "redis_written_bytes_total", "Bytes of transactions sent to Redis.",
            counters_total(m->counters, COUNTER_BYTES_WRITTEN));
    counter(b, "redis_retries_total", "Transactions that had to be sent again.",
            counters_total(m->counters, COUNTER_RETRIES));
    counter(b, "redis_connects_total", "Connections of workers to Redis.",
            counters_total(m->counters, COUNTER_REDIS_CONNECTS));
    gauge(b, "redis_up", "1 while the master's connection to Redis is ready.", store_is_ready(m->store));
    known_gauge(b, "redis_memory_used_bytes", "used_memory of Redis.", f->used_memory);
    known_gauge(b, "redis_memory_max_bytes", "maxmemory of Redis; 0: no limit.", f->max_memory);
    known_gauge(b, "stream_entries", "Entries in the stream.", f->stream_length);
    known_gauge(b, "dead_letters_entries", "Entries in the stream of dead letters.", f->dead_letters_length);
}

void metrics_write(const struct master *m, struct buffer *out)
{
    write_process(m, out);
    write_relay(m, out);
    write_events(m, out);
    write_collections(m, out);
    write_lag(m, out);
    write_ring(m, out);
    write_workers(m, out);
    write_redis(m, out);
}
