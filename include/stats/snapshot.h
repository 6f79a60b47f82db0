/* snapshot.h: all figures at one moment, as plain values, and how they are shown: in the status, in /metrics.
 *
 * The stats room: figures, rates, lag and health. It knows numbers and texts, and nothing of where they come from: the
 * master takes the snapshot (master/report/take.h). Adding a figure is a field here, a row in snapshot.c, and a line
 * where the snapshot is taken. */
#ifndef FIREHOSED_STATS_SNAPSHOT_H
#define FIREHOSED_STATS_SNAPSHOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/counter.h"
#include "base/limits.h"
#include "stats/collection_counts.h"

/* The kinds of events, as they are counted. */
enum event_kind { KIND_COMMIT, KIND_SYNC, KIND_IDENTITY, KIND_ACCOUNT, KIND_UNKNOWN, EVENT_KINDS };

enum { SNAPSHOT_NOTE_BYTES = 256, SNAPSHOT_RELAYS = 8 };

struct snapshot_worker {
    unsigned index;
    pid_t pid; /* 0: it is not there */
    bool is_ready, keeps_dying;
    const char *state;
    char note[SNAPSHOT_NOTE_BYTES]; /* what it last had trouble with */
    uint64_t restarts, queued, round_trip_us, batch_events;
    uint64_t events; /* that it has dealt with, whatever became of them */
    uint64_t counts[COUNTERS];
    double per_s, restart_in_s;
    int64_t lag_us, commit_us; /* how old events were when they were last committed, and when that was; 0: never */
};

struct snapshot_relay {
    const char *name;
    bool is_current;
    uint64_t failures;
};

/* Texts stay valid until the next turn of the loop. Numbers below 0 are unknown, where their row says so. */
struct snapshot {
    int64_t now_ms, now_us; /* monotonic; since 1970 */

    const char *version, *state;
    int64_t pid;
    bool is_running, is_stopping, is_well, is_ready;
    double uptime_s, started_s; /* started_s: since 1970 */

    const char *relay_url, *relay_host, *relay_state, *relay_note;
    bool relay_is_up, relay_is_paused;
    uint64_t relay_connects, relay_bytes, relay_infos, relay_errors, relay_changes;
    struct snapshot_relay relays[SNAPSHOT_RELAYS];
    unsigned relay_count;

    const char *redis_state, *redis_note;
    bool redis_is_up;
    int64_t used_memory, max_memory, stream_length, dead_letters_length;

    uint64_t kinds[EVENT_KINDS]; /* events received, duplicates included */
    uint64_t received;           /* the same in all, less those that are to be read again */
    uint64_t discarded;          /* those */
    uint64_t counts[COUNTERS];   /* of all workers, and the master's share */
    uint64_t in_flight, done;
    int64_t cursor;
    char cursor_shown[24]; /* "": unknown */
    uint64_t rewinds, resets, implausible;
    int64_t filtered_lag_us, filtered_at_us; /* as of a worker: of the events that the master filters */

    uint64_t ring_used, ring_size, ring_records;

    double lag_s, eta_s, last_commit_s, lag_warn_s;
    double events_per_s, bytes_per_s, events_per_s_10s;
    const struct collection_counts *collections;
    uint64_t collections_other;

    unsigned workers;       /* how many there should be */
    unsigned workers_known; /* with those that were: a counter that vanished would make sums go back */
    struct snapshot_worker worker[WORKERS_MAX];
};

/* Appends all figures in the text format that Prometheus reads (version 0.0.4). */
void snapshot_write_metrics(const struct snapshot *s, struct buffer *out);

/* The status, as firehosectl and the page read it; or its workers alone. A new reference; NULL if memory is short. */
json_t *snapshot_json(const struct snapshot *s);
json_t *snapshot_workers_json(const struct snapshot *s);

#endif
