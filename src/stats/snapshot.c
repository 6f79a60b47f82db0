#include "config.h"

#include "stats/snapshot.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log_recent.h"
#include "base/text.h"

/* What a figure is, and so its form in the status and as a metric. */
enum figure_kind {
    FIGURE_END,          /* of a table */
    FIGURE_COUNTER,      /* uint64_t: it only rises */
    FIGURE_GAUGE,        /* uint64_t */
    FIGURE_MICROSECONDS, /* uint64_t: the metric is in seconds */
    FIGURE_KNOWN,        /* int64_t; if it is unknown: null, and no sample */
    FIGURE_SEQ,          /* int64_t, as KNOWN: a text in the status, as it may exceed a JavaScript number */
    FIGURE_FLAG,         /* bool: true or false; 1 or 0 */
    FIGURE_SECONDS,      /* double, as KNOWN */
    FIGURE_RATE,         /* double, to a tenth */
    FIGURE_TEXT,         /* char [] */
    FIGURE_NAME,         /* const char *; as a metric 1, with the text as the label that `path` names */
};

struct figure {
    enum figure_kind kind;
    size_t offset;
    const char *path;   /* in the status: "ring.used_bytes"; NULL: it is not there */
    const char *metric; /* without "firehosed_", with its label, if it has one; NULL: none. Families stand together. */
    const char *help;   /* of the metric; NULL: the row continues the family of the row above */
};

/* A kind and an offset. The compiler compares the field's type with the kind's. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): in _Generic, a type in parentheses is no type */
#define TYPED(kind, type, of, field) FIGURE_##kind, offsetof(of, field) + _Generic(((of *)0)->field, type: 0)
#define COUNTER(of, field) TYPED(COUNTER, uint64_t, of, field)
#define GAUGE(of, field) TYPED(GAUGE, uint64_t, of, field)
#define MICROSECONDS(of, field) TYPED(MICROSECONDS, uint64_t, of, field)
#define KNOWN(of, field) TYPED(KNOWN, int64_t, of, field)
#define SEQ(of, field) TYPED(SEQ, int64_t, of, field)
#define FLAG(of, field) TYPED(FLAG, bool, of, field)
#define SECONDS(of, field) TYPED(SECONDS, double, of, field)
#define RATE(of, field) TYPED(RATE, double, of, field)
#define TEXT(of, field) TYPED(TEXT, char *, of, field)
#define NAME(of, field) TYPED(NAME, const char *, of, field)
#define COUNT(number) COUNTER(S, counts[COUNTER_##number])
#define OF_KIND(number) COUNTER(S, kinds[KIND_##number])
#define S struct snapshot
#define W struct snapshot_worker
#define R struct snapshot_relay
#define C struct collection_count

/* One row a figure: kind and field, where the status has it, the metric, its help. */
static const struct figure figures[] = {
    {NAME(S, version), "version", "build_info", "The version that runs; always 1."},
    {NAME(S, state), "state", NULL, NULL},
    {GAUGE(S, pid), "pid", NULL, NULL},
    {SECONDS(S, uptime_s), "uptime_s", NULL, NULL},
    {SECONDS(S, started_s), NULL, "start_time_seconds", "When this master was started, since 1970."},
    {FLAG(S, is_well), NULL, "healthy", "1 if /healthz says so: no worker keeps dying."},
    {FLAG(S, is_ready), NULL, "ready", "1 if /readyz says so: connected to the relay and committing."},

    {TEXT(S, relay_url), "relay.url", NULL, NULL},
    {NAME(S, relay_state), "relay.state", NULL, NULL},
    {TEXT(S, relay_note), "relay.note", NULL, NULL},
    {FLAG(S, relay_is_up), "relay.connected", "relay_connected", "1 while the relay is connected."},
    {FLAG(S, relay_is_paused), "relay.paused", "relay_paused", "1 while the relay is not read, as the ring is full."},
    {COUNTER(S, relay_connects), "relay.connects", "relay_connects_total", "Connections to the relay that came up."},
    {COUNTER(S, relay_changes), "relay_changes", "relay_changes_total",
     "Changes from one relay of the list to another."},
    {COUNTER(S, relay_bytes), "relay.bytes", "relay_received_bytes_total", "Bytes received from the relay."},
    {COUNTER(S, relay_infos), "relay.infos", "relay_infos_total", "Info frames from the relay (OutdatedCursor)."},
    {COUNTER(S, relay_errors), "relay.errors", "relay_errors_total",
     "Error frames from the relay (FutureCursor, ConsumerTooSlow)."},

    {OF_KIND(COMMIT), "kinds.commit", "events_received_total{kind=\"commit\"}",
     "Events received from the relay, by kind."},
    {OF_KIND(SYNC), "kinds.sync", "events_received_total{kind=\"sync\"}", NULL},
    {OF_KIND(IDENTITY), "kinds.identity", "events_received_total{kind=\"identity\"}", NULL},
    {OF_KIND(ACCOUNT), "kinds.account", "events_received_total{kind=\"account\"}", NULL},
    {OF_KIND(UNKNOWN), "kinds.unknown", "events_received_total{kind=\"unknown\"}", NULL},
    {GAUGE(S, received), "received", NULL, NULL},
    {COUNT(WRITTEN), "written", "events_total{outcome=\"written\"}",
     "What became of events: written to the stream, filtered, quarantined, duplicate."},
    {COUNT(FILTERED), "filtered", "events_total{outcome=\"filtered\"}", NULL},
    {COUNT(QUARANTINED), "quarantined", "events_total{outcome=\"quarantined\"}", NULL},
    {COUNT(DUPLICATE), "duplicate", "events_total{outcome=\"duplicate\"}", NULL},
    {COUNTER(S, discarded), NULL, "events_discarded_total",
     "Events dropped unwritten, to be read again after Redis had lost data."},
    {GAUGE(S, in_flight), "in_flight", "events_in_flight", "Events between relay and commit."},
    {COUNT(OP_NO_CID), "ops_left_out.ops_no_cid", "ops_left_out_total{reason=\"no_cid\"}",
     "Operations of commits that were left out, by reason."},
    {COUNT(OP_NO_BLOCK), "ops_left_out.ops_no_block", "ops_left_out_total{reason=\"no_block\"}", NULL},
    {COUNT(OP_HASH_MISMATCH), "ops_left_out.ops_hash_mismatch", "ops_left_out_total{reason=\"hash_mismatch\"}", NULL},
    {COUNT(OP_NO_TYPE), "ops_left_out.ops_no_type", "ops_left_out_total{reason=\"no_type\"}", NULL},
    {COUNT(OP_BAD_RECORD), "ops_left_out.ops_bad_record", "ops_left_out_total{reason=\"bad_record\"}", NULL},
    {COUNT(OP_FILTERED), "ops_left_out.ops_filtered", "ops_left_out_total{reason=\"filtered\"}", NULL},
    {COUNTER(S, collections_other), "collections_other", "collection_other_commits_total",
     "Commits of collections that the bounded table has no room for."},

    {SECONDS(S, lag_s), "lag_s", "lag_seconds", "Age of events when they are committed. Absent while it is not known."},
    {SECONDS(S, eta_s), "eta_s", "time_to_live_seconds", "Estimated time until it has caught up. Absent when live."},
    {SECONDS(S, last_commit_s), NULL, "last_commit_timestamp_seconds", "When events were last committed, since 1970."},
    {RATE(S, events_per_s), "rates.events_per_s", NULL, NULL},
    {RATE(S, bytes_per_s), "rates.bytes_per_s", NULL, NULL},
    {RATE(S, events_per_s_10s), "rates.events_per_s_10s", NULL, NULL},
    {SEQ(S, cursor), "cursor", "cursor", "The relay's sequence number up to which all is committed."},
    {COUNTER(S, rewinds), "rewinds", "rewinds_total", "How often Redis had lost data and the relay was read again."},
    {COUNTER(S, resets), "resets", "sequence_resets_total", "How often the relay's sequence began anew."},
    {COUNTER(S, implausible), "rogue_seqs", "rogue_seqs_total",
     "Implausible sequence numbers: far above the last one, and not part of the sequence."},
    {COUNTER(S, log_left_out), "log_left_out", "log_lines_left_out_total",
     "Lines that are not in the log, because of its limits or because nobody read it."},

    {GAUGE(S, ring_used), "ring.used_bytes", "ring_used_bytes", "Bytes of frames between relay and commit."},
    {GAUGE(S, ring_size), "ring.size_bytes", "ring_size_bytes", "Bytes that the ring has room for."},
    {GAUGE(S, ring_records), "ring.records", "ring_frames", "Frames in the ring."},

    {COUNT(BATCHES), NULL, "redis_transactions_total", "Transactions that were executed."},
    {COUNT(BYTES_WRITTEN), NULL, "redis_written_bytes_total", "Bytes of transactions sent to Redis."},
    {COUNT(RETRIES), NULL, "redis_retries_total", "Transactions that had to be sent again."},
    {COUNT(REDIS_CONNECTS), NULL, "redis_connects_total", "Connections of workers to Redis."},
    {NAME(S, redis_state), "redis.state", NULL, NULL},
    {TEXT(S, redis_note), "redis.note", NULL, NULL},
    {FLAG(S, redis_is_up), NULL, "redis_up", "1 while the master's connection to Redis is ready."},
    {KNOWN(S, used_memory), "redis.used_memory", "redis_memory_used_bytes", "used_memory of Redis."},
    {KNOWN(S, max_memory), "redis.max_memory", "redis_memory_max_bytes", "maxmemory of Redis; 0: no limit."},
    {TEXT(S, redis_concern), "redis.concern", NULL, NULL},
    {FLAG(S, redis_is_unsafe), NULL, "redis_unsafe", "1 while Redis may evict the stream, is a replica, or is full."},
    {KNOWN(S, evicted_keys), "redis.evicted_keys", "redis_evicted_keys",
     "Keys that Redis has evicted since its start."},
    {KNOWN(S, stream_length), "redis.stream_length", "stream_entries", "Entries in the stream."},
    {COUNTER(S, stream_trimmed), "redis.stream_trimmed", "stream_trimmed_total",
     "Entries of stream and dead letters that were trimmed because they filled a Redis out of memory."},
    {COUNTER(S, foreign_entries), "redis.foreign_entries", "foreign_entries_total",
     "Entries of the stream that another writer added."},
    {KNOWN(S, dead_letters_length), "redis.dead_letters_length", "dead_letters_entries",
     "Entries in the stream of dead letters."},
    {GAUGE(S, workers), NULL, "workers", "How many workers there should be."},
    {0},
};

/* Of each worker. snapshot_workers_json() adds its counts. */
static const struct figure worker_figures[] = {
    {GAUGE(W, index), "index", NULL, NULL},
    {GAUGE(W, pid), "pid", NULL, NULL},
    {FLAG(W, is_there), NULL, "worker_up", "1 while the worker's process is there."},
    {NAME(W, state), "state", NULL, NULL},
    {TEXT(W, note), "note", NULL, NULL},
    {FLAG(W, keeps_dying), "keeps_dying", NULL, NULL},
    {SECONDS(W, restart_in_s), "restart_in_s", NULL, NULL},
    {COUNTER(W, restarts), "restarts", "worker_restarts_total", "How often the worker died and was replaced."},
    {COUNTER(W, events), NULL, "worker_events_total",
     "Events that the worker has dealt with, whatever became of them."},
    {RATE(W, per_s), "per_s", NULL, NULL},
    {GAUGE(W, queued), "queued", "worker_queued_frames", "Frames that wait for the worker's commit."},
    {GAUGE(W, batch_events), "batch_events", "worker_batch_events", "Events in the worker's last transaction."},
    {MICROSECONDS(W, round_trip_us), "round_trip_us", "worker_round_trip_seconds",
     "How long the worker's last transaction took."},
    {0},
};

static const struct figure relay_figures[] = {
    {TEXT(R, name), "name", NULL, NULL},
    {FLAG(R, is_current), "current", NULL, NULL},
    {COUNTER(R, failures), "failures", NULL, NULL},
    {0},
};

static const struct figure collection_figures[] = {
    {TEXT(C, name), "name", NULL, NULL},
    {COUNTER(C, events), "events", "collection_commits_total",
     "Commits received by collection of their first operation, for the most frequent ones."},
    {RATE(C, per_s), "per_s", NULL, NULL},
    {0},
};

static const char *text_at(const struct figure *f, const void *value)
{
    return f->kind == FIGURE_NAME ? *(const char *const *)value : value;
}

static bool is_known(const struct figure *f, const void *value)
{
    if (f->kind == FIGURE_SECONDS)
        return *(const double *)value >= 0;
    return (f->kind != FIGURE_KNOWN && f->kind != FIGURE_SEQ) || *(const int64_t *)value >= 0;
}

/* ---- /metrics ---- */

static void append_family(struct buffer *b, const struct figure *f)
{
    if (f->metric == NULL || f->help == NULL)
        return;
    int len = (int)strcspn(f->metric, "{");
    buffer_append_format(b, "# HELP firehosed_%.*s %s\n# TYPE firehosed_%.*s %s\n", len, f->metric, f->help, len,
                         f->metric, f->kind == FIGURE_COUNTER ? "counter" : "gauge");
}

static void append_sample(struct buffer *b, const struct figure *f, const void *of, const char *labels)
{
    const void *value = (const char *)of + f->offset;
    if (f->metric == NULL || !is_known(f, value))
        return;
    buffer_append_format(b, "firehosed_%s%s", f->metric, labels);
    if (f->kind == FIGURE_TEXT || f->kind == FIGURE_NAME)
        buffer_append_format(b, "{%s=\"%s\"} 1\n", f->path, text_at(f, value));
    else if (f->kind == FIGURE_SECONDS || f->kind == FIGURE_RATE)
        buffer_append_format(b, " %.6f\n", *(const double *)value);
    else if (f->kind == FIGURE_MICROSECONDS)
        buffer_append_format(b, " %.6f\n", (double)*(const uint64_t *)value / 1e6);
    else if (f->kind == FIGURE_FLAG)
        buffer_append_format(b, " %d\n", *(const bool *)value);
    else
        buffer_append_format(b, " %" PRIu64 "\n", *(const uint64_t *)value);
}

static void append_of_workers(struct buffer *b, const struct figure *f, const struct snapshot *s)
{
    char labels[32];
    append_family(b, f);
    for (unsigned i = 0; i < (f->kind == FIGURE_COUNTER ? s->workers_known : s->workers); i++) {
        snprintf(labels, sizeof labels, "{worker=\"%u\"}", i);
        append_sample(b, f, &s->worker[i], labels);
    }
}

/* A collection that was once among the most frequent keeps its line, so that no line comes and goes. */
static void append_of_collections(struct buffer *b, const struct figure *f, const struct snapshot *s)
{
    char labels[COLLECTION_COUNTS_NAME_BYTES + 32];
    append_family(b, f);
    for (const struct collection_count *c = s->collections; c < s->collections + s->collection_count; c++) {
        snprintf(labels, sizeof labels, "{collection=\"%.*s\"}", COLLECTION_COUNTS_NAME_BYTES, c->name);
        if (c->is_listed)
            append_sample(b, f, c, labels);
    }
}

void snapshot_write_metrics(const struct snapshot *s, struct buffer *out)
{
    for (const struct figure *f = figures; f->kind != FIGURE_END; f++) {
        append_family(out, f);
        append_sample(out, f, s, "");
    }
    for (const struct figure *f = worker_figures; f->kind != FIGURE_END; f++)
        append_of_workers(out, f, s);
    for (const struct figure *f = collection_figures; f->kind != FIGURE_END; f++)
        append_of_collections(out, f, s);
}

/* ---- the status ---- */

/* Without the noise of binary fractions. */
/* A worker's counters are its own word: any number is possible. */
static json_t *rounded(double value, double unit)
{
    bool is_exact = value * unit > 1e15;
    return json_real(is_exact ? value : (double)(int64_t)(value * unit + 0.5) / unit);
}

/* Whatever made the snapshot, one bad text does not spoil the whole status. */
static json_t *text_json(const char *text)
{
    char clean[SNAPSHOT_URL_BYTES];
    text_format(clean, sizeof clean, "%s", text);
    return json_string(clean);
}

static json_t *value_json(const struct figure *f, const void *value)
{
    char decimal[24];
    if (!is_known(f, value))
        return json_null();
    switch (f->kind) {
    case FIGURE_SEQ:
        snprintf(decimal, sizeof decimal, "%" PRId64, *(const int64_t *)value);
        return json_string(decimal);
    case FIGURE_FLAG:
        return json_boolean(*(const bool *)value);
    case FIGURE_SECONDS:
        return rounded(*(const double *)value, 1000);
    case FIGURE_RATE:
        return rounded(*(const double *)value, 10);
    case FIGURE_TEXT:
    case FIGURE_NAME:
        return text_json(text_at(f, value));
    default:
        return json_integer((json_int_t) * (const uint64_t *)value);
    }
}

/* Sets a member: "ring.used_bytes" goes into the object "ring". */
static void set_member(json_t *json, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');
    char group[32];
    if (dot != NULL) {
        snprintf(group, sizeof group, "%.*s", (int)(dot - path), path);
        if (json_object_get(json, group) == NULL)
            json_object_set_new(json, group, json_object());
        json = json_object_get(json, group);
    }
    json_object_set_new(json, dot != NULL ? dot + 1 : path, value);
}

static json_t *object_json(const struct figure *rows, const void *of)
{
    json_t *json = json_object();
    for (const struct figure *f = rows; f->kind != FIGURE_END; f++)
        if (f->path != NULL)
            set_member(json, f->path, value_json(f, (const char *)of + f->offset));
    return json;
}

static json_t *list_json(const struct figure *rows, const void *first, size_t bytes, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, object_json(rows, (const char *)first + i * bytes));
    return list;
}

json_t *snapshot_workers_json(const struct snapshot *s)
{
    json_t *list = list_json(worker_figures, s->worker, sizeof s->worker[0], s->workers);
    for (size_t i = 0; i < s->workers; i++)
        for (enum counter c = 0; c < COUNTERS; c++)
            json_object_set_new(json_array_get(list, i), counter_name(c),
                                json_integer((json_int_t)s->worker[i].counts[c]));
    return list;
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

json_t *snapshot_json(const struct snapshot *s)
{
    size_t listed = s->collection_count < COLLECTION_COUNTS_LISTED ? s->collection_count : COLLECTION_COUNTS_LISTED;
    json_t *json = object_json(figures, s);
    json_object_set_new(json, "workers", snapshot_workers_json(s));
    json_object_set_new(json, "relays", list_json(relay_figures, s->relays, sizeof s->relays[0], s->relay_count));
    json_object_set_new(json, "collections",
                        list_json(collection_figures, s->collections, sizeof s->collections[0], listed));
    json_object_set_new(json, "recent_errors", recent_errors_json());
    return json;
}
