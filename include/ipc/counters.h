/* counters.h: figures in memory that the master and its workers share.
 *
 * A worker adds to its own slot, the master reads all of them: no message is needed to know the balance, and a slot
 * outlives the worker that wrote to it, so counters never go back. The rest of a slot tells how the worker is: it is
 * for people (status), nothing is decided by it. */
#ifndef FIREHOSED_IPC_COUNTERS_H
#define FIREHOSED_IPC_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

enum counter {
    COUNTER_WRITTEN,     /* events that are in the stream */
    COUNTER_FILTERED,    /* frames that are not delivered by configuration or kind */
    COUNTER_QUARANTINED, /* frames that went to the dead letters instead of the stream */
    COUNTER_DUPLICATE,   /* frames that were in the stream already */
    COUNTER_OP_NO_CID,   /* ops left out, by reason; in the order of enum op_drop */
    COUNTER_OP_NO_BLOCK,
    COUNTER_OP_HASH_MISMATCH,
    COUNTER_OP_NO_TYPE,
    COUNTER_OP_BAD_RECORD,
    COUNTER_OP_FILTERED, /* ops left out by the collection filter */
    COUNTER_BATCHES,     /* transactions that were executed */
    COUNTER_BYTES_WRITTEN, /* of RESP, sent to Redis */
    COUNTER_RETRIES,     /* transactions that had to be sent again */
    COUNTER_REDIS_CONNECTS,
    COUNTERS,
};

/* "written", "filtered", … as they stand in status and metrics. */
const char *counter_name(enum counter c);

enum worker_state { WORKER_STARTING, WORKER_CONNECTING, WORKER_READY, WORKER_RETRYING, WORKER_DRAINING };
const char *worker_state_name(enum worker_state s);

/* What a worker does at this moment: whether its death is a frame's fault. */
enum worker_activity {
    ACTIVITY_STARTING,
    ACTIVITY_WAITING,   /* in poll(): a death is somebody else's doing */
    ACTIVITY_TALKING,   /* to Redis or the master */
    ACTIVITY_ON_FRAMES, /* reads, decodes, batches */
};

enum { WORKER_NOTE_BYTES = 256 };

struct worker_slot {
    _Atomic uint64_t counters[COUNTERS];
    _Atomic int state;
    _Atomic int activity;           /* enum worker_activity */
    _Atomic uint64_t alive_ms;      /* clock_monotonic_ms() of the last turn of the worker's loop */
    _Atomic uint64_t round_trip_us; /* of the last transaction */
    _Atomic uint64_t batch_events;  /* events in the last transaction */
    _Atomic int denied_call;        /* number of the system call that the sandbox killed it for, plus one; 0: none */
    _Atomic int64_t lag_us;         /* how old events were when they were last committed; see commit_us */
    _Atomic int64_t commit_us;      /* when that was, since 1970; 0: never */
    char note[WORKER_NOTE_BYTES];   /* what it last had trouble with; "" when well. Racy by design, always ended. */
};

struct counters {
    struct worker_slot workers[WORKERS_MAX];
};

/* Shared by this process and those it forks. NULL: no memory. Never freed: it lives as long as the master. */
struct counters *counters_new(void);

static inline void counter_add(struct worker_slot *slot, enum counter c, uint64_t n)
{
    /* One writer a slot: a plain load and store would do; relaxed keeps it whole for the reader. */
    atomic_fetch_add_explicit(&slot->counters[c], n, memory_order_relaxed);
}

/* Sum over all slots. */
uint64_t counters_total(const struct counters *counters, enum counter c);

/* Sets the slot's state and note (NULL: leaves the note). */
void worker_slot_set(struct worker_slot *slot, enum worker_state state, const char *note);

#endif
