/* snapshot.h: all figures at one moment, as plain values, and the two forms that show them: the status and /metrics.
 *
 * The stats room has the figures, the rates, the lag and the health. It knows numbers and texts, and nothing of their
 * origin: the master takes the snapshot (master/report/take.c). A new figure is a field here, a row of a table in
 * snapshot.c, and a line there. */
#ifndef FIREHOSED_STATS_SNAPSHOT_H
#define FIREHOSED_STATS_SNAPSHOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/counter.h"
#include "base/limits.h"
#include "stats/collection_counts.h"

/* The kinds of events that are counted. */
enum event_kind { KIND_COMMIT, KIND_SYNC, KIND_IDENTITY, KIND_ACCOUNT, KIND_UNKNOWN, EVENT_KINDS };

enum { SNAPSHOT_NOTE_BYTES = 512, SNAPSHOT_HOST_BYTES = 264, SNAPSHOT_URL_BYTES = 1280, SNAPSHOT_RELAYS = 8 };

struct snapshot_worker {
    uint64_t index, pid; /* pid 0: there is no process at the moment */
    bool is_there, is_ready, keeps_dying;
    const char *state;
    char note[SNAPSHOT_NOTE_BYTES]; /* its last trouble; "" if there is none */
    uint64_t restarts, queued, batch_events, round_trip_us;
    uint64_t counts[COUNTERS];
    uint64_t events; /* that it has dealt with, whatever became of them */
    double per_s, restart_in_s;
    int64_t lag_us, commit_us; /* the age of events at the last commit, and its time since 1970; 0: never */
};

struct snapshot_relay {
    char name[SNAPSHOT_HOST_BYTES];
    bool is_current;
    uint64_t failures;
};

/* States and the version are constants of the program. A signed number or a time below 0 is unknown. */
struct snapshot {
    int64_t now_ms, now_us; /* monotonic; since 1970 */

    const char *version, *state;
    uint64_t pid;
    bool is_running, is_stopping, is_well, is_ready;
    double uptime_s, started_s; /* started_s: since 1970 */

    char relay_url[SNAPSHOT_URL_BYTES], relay_host[SNAPSHOT_HOST_BYTES], relay_note[SNAPSHOT_NOTE_BYTES];
    const char *relay_state;
    bool relay_is_up, relay_is_paused;
    uint64_t relay_connects, relay_bytes, relay_infos, relay_errors, relay_changes;
    uint64_t relay_count;
    struct snapshot_relay relays[SNAPSHOT_RELAYS];

    char redis_note[SNAPSHOT_NOTE_BYTES];
    const char *redis_state;
    bool redis_is_up;
    char redis_concern[SNAPSHOT_NOTE_BYTES];
    bool redis_is_unsafe; /* there is a concern */
    uint64_t stream_trimmed, foreign_entries;
    int64_t used_memory, max_memory, evicted_keys, stream_length, dead_letters_length;

    uint64_t kinds[EVENT_KINDS]; /* events received, duplicates included */
    uint64_t discarded;          /* those of them that are to be read again */
    uint64_t received;           /* all others: the sum of outcomes and in_flight */
    uint64_t counts[COUNTERS];   /* of all workers, with the master's share */
    uint64_t in_flight, done;
    int64_t cursor;
    uint64_t rewinds, resets, implausible, log_left_out;
    int64_t filtered_lag_us, filtered_at_us; /* lag_us and commit_us of the events that the master filters */
    uint64_t ring_used, ring_size, ring_records;

    double lag_s, eta_s, last_commit_s, lag_warn_s; /* lag_warn_s 0: no lag is too much */
    double events_per_s, bytes_per_s, events_per_s_10s;
    uint64_t collection_count, collections_other;
    struct collection_count collections[COLLECTION_COUNTS_MAX]; /* the most frequent first */

    uint64_t workers;       /* how many there should be */
    uint64_t workers_known; /* with earlier ones: if their counters vanished, sums would go back */
    struct snapshot_worker worker[WORKERS_MAX];
};

/* Appends all figures in the text format that Prometheus reads (version 0.0.4). */
void snapshot_write_metrics(const struct snapshot *s, struct buffer *out);

/* Return the status, as firehosectl and the page read it, and its list of workers alone. New references; NULL if memory
 * is short. */
json_t *snapshot_json(const struct snapshot *s);
json_t *snapshot_workers_json(const struct snapshot *s);

#endif
