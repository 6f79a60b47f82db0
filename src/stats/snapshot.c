#include "config.h"

#include "stats/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/log_shared.h"

enum figure_type {
    NUMBER,   /* uint64_t */
    KNOWN,    /* int64_t; below 0: unknown: null, and no line */
    REAL,     /* double, to `digits` digits; below 0: unknown */
    EXACT,    /* double, as it is */
    FLAG,     /* bool */
    TEXT,     /* const char * */
    OPT_TEXT, /* char []; "": null */
};

enum figure_kind { COUNTER, GAUGE };

struct figure {
    const char *path;   /* in the status: "ring.used_bytes"; NULL: not there */
    const char *metric; /* without "firehosed_"; NULL: none. Rows of one family stand together */
    const char *label;  /* "outcome=\"written\""; NULL: none */
    enum figure_type type;
    enum figure_kind kind;
    int digits;
    size_t offset;
    const char *help; /* of the metric; of a family, in its first row */
};

#define F(field) offsetof(struct snapshot, field)
#define W(field) offsetof(struct snapshot_worker, field)
#define STATUS(path, type, field) {path, NULL, NULL, type, GAUGE, 0, F(field), NULL}
#define ROUNDED(path, digits, field) {path, NULL, NULL, REAL, GAUGE, digits, F(field), NULL}
#define FIGURE(path, metric, type, kind, field, help) {path, metric, NULL, type, kind, 3, F(field), help}
#define LABELLED(path, metric, label, field, help) {path, metric, label, NUMBER, COUNTER, 0, F(field), help}

static const struct figure figures[] = {
    STATUS("version", TEXT, version),
    STATUS("state", TEXT, state),
    STATUS("pid", KNOWN, pid),
    STATUS("uptime_s", EXACT, uptime_s),
    FIGURE(NULL, "start_time_seconds", REAL, GAUGE, started_s, "When this master was started, since 1970."),
    FIGURE(NULL, "healthy", FLAG, GAUGE, is_well, "1 if /healthz says so: no worker keeps dying."),
    FIGURE(NULL, "ready", FLAG, GAUGE, is_ready, "1 if /readyz says so: connected to the relay and committing."),

    STATUS("relay.url", TEXT, relay_url),
    STATUS("relay.state", TEXT, relay_state),
    STATUS("relay.note", TEXT, relay_note),
    FIGURE("relay.connected", "relay_connected", FLAG, GAUGE, relay_is_up, "1 while the relay is connected."),
    FIGURE("relay.paused", "relay_paused", FLAG, GAUGE, relay_is_paused,
           "1 while the relay is not read, as the ring is full."),
    FIGURE("relay.connects", "relay_connects_total", NUMBER, COUNTER, relay_connects,
           "Connections to the relay that came up."),
    FIGURE("relay_changes", "relay_changes_total", NUMBER, COUNTER, relay_changes,
           "Changes from one relay of the list to another."),
    FIGURE("relay.bytes", "relay_received_bytes_total", NUMBER, COUNTER, relay_bytes, "Bytes received from the relay."),
    FIGURE("relay.infos", "relay_infos_total", NUMBER, COUNTER, relay_infos,
           "Info frames from the relay (OutdatedCursor)."),
    FIGURE("relay.errors", "relay_errors_total", NUMBER, COUNTER, relay_errors,
           "Error frames from the relay (FutureCursor, ConsumerTooSlow)."),

    LABELLED("kinds.commit", "events_received_total", "kind=\"commit\"", kinds[KIND_COMMIT],
             "Events received from the relay, by kind."),
    LABELLED("kinds.sync", "events_received_total", "kind=\"sync\"", kinds[KIND_SYNC], NULL),
    LABELLED("kinds.identity", "events_received_total", "kind=\"identity\"", kinds[KIND_IDENTITY], NULL),
    LABELLED("kinds.account", "events_received_total", "kind=\"account\"", kinds[KIND_ACCOUNT], NULL),
    LABELLED("kinds.unknown", "events_received_total", "kind=\"unknown\"", kinds[KIND_UNKNOWN], NULL),
    STATUS("received", NUMBER, received),
    LABELLED("written", "events_total", "outcome=\"written\"", counts[COUNTER_WRITTEN],
             "What became of events: written to the stream, filtered, quarantined, duplicate."),
    LABELLED("filtered", "events_total", "outcome=\"filtered\"", counts[COUNTER_FILTERED], NULL),
    LABELLED("quarantined", "events_total", "outcome=\"quarantined\"", counts[COUNTER_QUARANTINED], NULL),
    LABELLED("duplicate", "events_total", "outcome=\"duplicate\"", counts[COUNTER_DUPLICATE], NULL),
    FIGURE(NULL, "events_discarded_total", NUMBER, COUNTER, discarded,
           "Events dropped unwritten, to be read again after Redis had lost data."),
    FIGURE("in_flight", "events_in_flight", NUMBER, GAUGE, in_flight, "Events between relay and commit."),
    LABELLED("ops_left_out.ops_no_cid", "ops_left_out_total", "reason=\"no_cid\"", counts[COUNTER_OP_NO_CID],
             "Operations of commits that were left out, by reason."),
    LABELLED("ops_left_out.ops_no_block", "ops_left_out_total", "reason=\"no_block\"", counts[COUNTER_OP_NO_BLOCK],
             NULL),
    LABELLED("ops_left_out.ops_hash_mismatch", "ops_left_out_total", "reason=\"hash_mismatch\"",
             counts[COUNTER_OP_HASH_MISMATCH], NULL),
    LABELLED("ops_left_out.ops_no_type", "ops_left_out_total", "reason=\"no_type\"", counts[COUNTER_OP_NO_TYPE], NULL),
    LABELLED("ops_left_out.ops_bad_record", "ops_left_out_total", "reason=\"bad_record\"",
             counts[COUNTER_OP_BAD_RECORD], NULL),
    LABELLED("ops_left_out.ops_filtered", "ops_left_out_total", "reason=\"filtered\"", counts[COUNTER_OP_FILTERED],
             NULL),
    FIGURE("collections_other", "collection_other_commits_total", NUMBER, COUNTER, collections_other,
           "Commits of collections that the bounded table has no room for."),

    FIGURE("lag_s", "lag_seconds", REAL, GAUGE, lag_s,
           "Age of events when they are committed. Absent while it is not known."),
    FIGURE("eta_s", "time_to_live_seconds", REAL, GAUGE, eta_s,
           "Estimated time until it has caught up. Absent when live."),
    FIGURE(NULL, "last_commit_timestamp_seconds", REAL, GAUGE, last_commit_s,
           "When events were last committed, since 1970."),
    ROUNDED("rates.events_per_s", 1, events_per_s),
    ROUNDED("rates.bytes_per_s", 0, bytes_per_s),
    ROUNDED("rates.events_per_s_10s", 1, events_per_s_10s),
    STATUS("cursor", OPT_TEXT, cursor_shown),
    FIGURE(NULL, "cursor", KNOWN, GAUGE, cursor, "The relay's sequence number up to which all is committed."),
    FIGURE("rewinds", "rewinds_total", NUMBER, COUNTER, rewinds,
           "How often Redis had lost data and the relay was read again."),
    FIGURE("resets", "sequence_resets_total", NUMBER, COUNTER, resets, "How often the relay's sequence began anew."),
    FIGURE("rogue_seqs", "rogue_seqs_total", NUMBER, COUNTER, implausible,
           "Implausible sequence numbers: far above the last one, and not part of the sequence."),

    FIGURE("ring.used_bytes", "ring_used_bytes", NUMBER, GAUGE, ring_used, "Bytes of frames between relay and commit."),
    FIGURE("ring.size_bytes", "ring_size_bytes", NUMBER, GAUGE, ring_size, "Bytes that the ring has room for."),
    FIGURE("ring.records", "ring_frames", NUMBER, GAUGE, ring_records, "Frames in the ring."),

    FIGURE(NULL, "redis_transactions_total", NUMBER, COUNTER, counts[COUNTER_BATCHES],
           "Transactions that were executed."),
    FIGURE(NULL, "redis_written_bytes_total", NUMBER, COUNTER, counts[COUNTER_BYTES_WRITTEN],
           "Bytes of transactions sent to Redis."),
    FIGURE(NULL, "redis_retries_total", NUMBER, COUNTER, counts[COUNTER_RETRIES],
           "Transactions that had to be sent again."),
    FIGURE(NULL, "redis_connects_total", NUMBER, COUNTER, counts[COUNTER_REDIS_CONNECTS],
           "Connections of workers to Redis."),
    STATUS("redis.state", TEXT, redis_state),
    STATUS("redis.note", TEXT, redis_note),
    FIGURE(NULL, "redis_up", FLAG, GAUGE, redis_is_up, "1 while the master's connection to Redis is ready."),
    FIGURE("redis.used_memory", "redis_memory_used_bytes", KNOWN, GAUGE, used_memory, "used_memory of Redis."),
    FIGURE("redis.max_memory", "redis_memory_max_bytes", KNOWN, GAUGE, max_memory, "maxmemory of Redis; 0: no limit."),
    FIGURE("redis.stream_length", "stream_entries", KNOWN, GAUGE, stream_length, "Entries in the stream."),
    FIGURE("redis.dead_letters_length", "dead_letters_entries", KNOWN, GAUGE, dead_letters_length,
           "Entries in the stream of dead letters."),
};

/* The figures of one worker. Those of counters stand for workers that are gone, too. */
static const struct figure worker_figures[] = {
    {"state", NULL, NULL, TEXT, GAUGE, 0, W(state), NULL},
    {"keeps_dying", NULL, NULL, FLAG, GAUGE, 0, W(keeps_dying), NULL},
    {"restart_in_s", NULL, NULL, EXACT, GAUGE, 0, W(restart_in_s), NULL},
    {"restarts", "worker_restarts_total", NULL, NUMBER, COUNTER, 0, W(restarts),
     "How often the worker died and was replaced."},
    {NULL, "worker_events_total", NULL, NUMBER, COUNTER, 0, W(events),
     "Events that the worker has dealt with, whatever became of them."},
    {"queued", "worker_queued_frames", NULL, NUMBER, GAUGE, 0, W(queued), "Frames that wait for the worker's commit."},
    {"batch_events", "worker_batch_events", NULL, NUMBER, GAUGE, 0, W(batch_events),
     "Events in the worker's last transaction."},
    {"round_trip_us", NULL, NULL, NUMBER, GAUGE, 0, W(round_trip_us), NULL},
};

enum {
    FIGURES = sizeof figures / sizeof figures[0],
    WORKER_FIGURES = sizeof worker_figures / sizeof worker_figures[0]
};

/* ---- one value ---- */

static const void *at(const void *base, const struct figure *f) { return (const char *)base + f->offset; }

/* To so many digits, without the noise of binary fractions. value >= 0. */
static json_t *rounded(double value, int digits)
{
    double unit = digits == 3 ? 1000 : digits == 1 ? 10 : 1;
    return value >= 0 ? json_real((double)(int64_t)(value * unit + 0.5) / unit) : json_null();
}

/* A text may be another's words, cut within a letter: json_string() would refuse it. */
static json_t *text_json(const char *text)
{
    char repaired[SNAPSHOT_NOTE_BYTES * 4];
    snprintf(repaired, sizeof repaired, "%s", text);
    utf8_repair(repaired);
    return json_string(repaired);
}

static json_t *value_json(const struct figure *f, const void *base)
{
    const void *value = at(base, f);
    switch (f->type) {
    case NUMBER:
        return json_integer((json_int_t) * (const uint64_t *)value);
    case KNOWN:
        return *(const int64_t *)value >= 0 ? json_integer((json_int_t) * (const int64_t *)value) : json_null();
    case REAL:
        return rounded(*(const double *)value, f->digits);
    case EXACT:
        return json_real(*(const double *)value);
    case FLAG:
        return json_boolean(*(const bool *)value);
    case TEXT:
        return text_json(*(const char *const *)value);
    case OPT_TEXT:
        return *(const char *)value != '\0' ? text_json(value) : json_null();
    }
    return NULL;
}

static void append_value(struct buffer *b, const struct figure *f, const void *base)
{
    const void *value = at(base, f);
    if (f->type == NUMBER)
        buffer_append_format(b, "%" PRIu64 "\n", *(const uint64_t *)value);
    else if (f->type == KNOWN)
        buffer_append_format(b, "%" PRId64 "\n", *(const int64_t *)value);
    else if (f->type == FLAG)
        buffer_append_format(b, "%d\n", *(const bool *)value);
    else
        buffer_append_format(b, "%.6f\n", *(const double *)value);
}

static bool is_known(const struct figure *f, const void *base)
{
    return (f->type != KNOWN || *(const int64_t *)at(base, f) >= 0) &&
           (f->type != REAL || *(const double *)at(base, f) >= 0);
}

/* ---- /metrics ---- */

static void family(struct buffer *b, const char *name, enum figure_kind kind, const char *help)
{
    buffer_append_format(b, "# HELP firehosed_%s %s\n# TYPE firehosed_%s %s\n", name, help, name,
                         kind == COUNTER ? "counter" : "gauge");
}

static void write_figure(struct buffer *b, const struct figure *f, const void *base)
{
    if (f->help != NULL)
        family(b, f->metric, f->kind, f->help);
    if (!is_known(f, base))
        return;
    buffer_append_format(b, f->label != NULL ? "firehosed_%s{%s} " : "firehosed_%s ", f->metric, f->label);
    append_value(b, f, base);
}

/* Collections that were among the most frequent once stay, so that no line comes and goes. */
static void write_collections(const struct snapshot *s, struct buffer *b)
{
    const struct collection_count *entries;
    size_t count = s->collections != NULL ? collection_counts_all(s->collections, &entries) : 0;
    family(b, "collection_commits_total", COUNTER,
           "Commits received by collection of their first operation, for the most frequent ones.");
    for (size_t i = 0; i < count; i++)
        if (entries[i].is_listed)
            buffer_append_format(b, "firehosed_collection_commits_total{collection=\"%.*s\"} %" PRIu64 "\n",
                                 (int)entries[i].len, entries[i].name, entries[i].events);
}

static void write_workers(const struct snapshot *s, struct buffer *b)
{
    family(b, "workers", GAUGE, "How many workers there should be.");
    buffer_append_format(b, "firehosed_workers %u\n", s->workers);
    family(b, "worker_up", GAUGE, "1 while the worker's process is there.");
    for (unsigned i = 0; i < s->workers; i++)
        buffer_append_format(b, "firehosed_worker_up{worker=\"%u\"} %d\n", i, s->worker[i].pid != 0);
    for (size_t r = 0; r < WORKER_FIGURES; r++) {
        const struct figure *f = &worker_figures[r];
        if (f->metric == NULL)
            continue;
        family(b, f->metric, f->kind, f->help);
        for (unsigned i = 0; i < (f->kind == COUNTER ? s->workers_known : s->workers); i++) {
            buffer_append_format(b, "firehosed_%s{worker=\"%u\"} ", f->metric, i);
            append_value(b, f, &s->worker[i]);
        }
    }
    family(b, "worker_round_trip_seconds", GAUGE, "How long the worker's last transaction took.");
    for (unsigned i = 0; i < s->workers; i++)
        buffer_append_format(b, "firehosed_worker_round_trip_seconds{worker=\"%u\"} %.6f\n", i,
                             (double)s->worker[i].round_trip_us / 1e6);
}

void snapshot_write_metrics(const struct snapshot *s, struct buffer *out)
{
    family(out, "build_info", GAUGE, "The version that runs; always 1.");
    buffer_append_format(out, "firehosed_build_info{version=\"%s\"} 1\n", s->version);
    for (size_t i = 0; i < FIGURES; i++)
        if (figures[i].metric != NULL)
            write_figure(out, &figures[i], s);
    write_collections(s, out);
    write_workers(s, out);
}

/* ---- the status ---- */

/* "ring.used_bytes" goes into the object "ring". */
static void put(json_t *json, const char *path, json_t *value)
{
    char group[32];
    const char *dot = strchr(path, '.');
    if (dot == NULL) {
        json_object_set_new(json, path, value);
        return;
    }
    snprintf(group, sizeof group, "%.*s", (int)(dot - path), path);
    json_t *object = json_object_get(json, group);
    if (object == NULL && json_object_set_new(json, group, json_object()) == 0)
        object = json_object_get(json, group);
    json_object_set_new(object, dot + 1, value);
}

static json_t *worker_json(const struct snapshot_worker *w)
{
    json_t *json = json_pack("{s:i,s:i,s:o,s:o}", "index", (int)w->index, "pid", (int)w->pid, "note",
                             text_json(w->note), "per_s", rounded(w->per_s, 1));
    for (size_t i = 0; i < WORKER_FIGURES; i++)
        if (worker_figures[i].path != NULL)
            put(json, worker_figures[i].path, value_json(&worker_figures[i], w));
    for (unsigned c = 0; c < COUNTERS; c++)
        json_object_set_new(json, counter_name((enum counter)c), json_integer((json_int_t)w->counts[c]));
    return json;
}

json_t *snapshot_workers_json(const struct snapshot *s)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < s->workers; i++)
        json_array_append_new(list, worker_json(&s->worker[i]));
    return list;
}

static json_t *relays_json(const struct snapshot *s)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < s->relay_count; i++)
        json_array_append_new(list, json_pack("{s:s,s:b,s:I}", "name", s->relays[i].name, "current",
                                              s->relays[i].is_current, "failures", (json_int_t)s->relays[i].failures));
    return list;
}

static json_t *collections_json(const struct snapshot *s)
{
    const struct collection_count *top[COLLECTION_COUNTS_LISTED];
    size_t count = s->collections != NULL ? collection_counts_top(s->collections, top, COLLECTION_COUNTS_LISTED) : 0;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s#,s:I,s:o}", "name", top[i]->name, (int)top[i]->len, "events",
                                              (json_int_t)top[i]->events, "per_s", rounded(top[i]->per_s, 1)));
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
    json_t *json = json_object();
    for (size_t i = 0; i < FIGURES; i++)
        if (figures[i].path != NULL)
            put(json, figures[i].path, value_json(&figures[i], s));
    json_object_set_new(json, "workers", snapshot_workers_json(s));
    json_object_set_new(json, "relays", relays_json(s));
    json_object_set_new(json, "collections", collections_json(s));
    json_object_set_new(json, "recent_errors", recent_errors_json());
    return json;
}
