/* counters.h: figures in memory that the master and its workers share.
 *
 * A worker writes to its own slot, and the master reads all of them. A slot outlives the worker that wrote to it, so
 * counters never go back. The rest of a slot tells how the worker is: it is what that worker says of itself. No other
 * worker can reach it, as each slot has pages of its own. */
#ifndef FIREHOSED_IPC_COUNTERS_H
#define FIREHOSED_IPC_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/worker_pages.h"

enum worker_state { WORKER_STARTING, WORKER_CONNECTING, WORKER_READY, WORKER_RETRYING, WORKER_DRAINING };
const char *worker_state_name(int state); /* "unknown" for any other number: it may be a worker's */

/* What a worker does at this moment. It tells whether a frame may have caused its death. */
enum worker_activity {
    ACTIVITY_STARTING,
    ACTIVITY_WAITING,   /* in poll(): a death then has another cause */
    ACTIVITY_TALKING,   /* to Redis or the master */
    ACTIVITY_ON_FRAMES, /* reads, decodes, batches */
};

enum { WORKER_NOTE_BYTES = 256 };

struct worker_slot {
    _Atomic uint64_t counters[COUNTERS];
    _Atomic int state;
    _Atomic int activity;           /* enum worker_activity */
    _Atomic uint64_t round_trip_us; /* of the last transaction */
    _Atomic uint64_t batch_events;  /* events in the last transaction */
    _Atomic int denied_call;        /* number of the system call that the sandbox killed it for, plus one; 0: none */
    _Atomic int64_t lag_us;         /* how old events were when they were last committed; see commit_us */
    _Atomic int64_t commit_us;      /* when that was, since 1970; 0: never */
    char note[WORKER_NOTE_BYTES];   /* what it last had trouble with; "" when well. Racy by design, always ended. */
};

union worker_page {
    struct worker_slot slot;
    char bytes[WORKER_PAGE_BYTES];
};

struct counters {
    union worker_page workers[WORKERS_MAX];
};

/* Returns pages of workers (base/worker_pages.h), or NULL if memory is short. */
struct counters *counters_new(void);

static inline void counter_add(struct worker_slot *slot, enum counter c, uint64_t n)
{
    /* One writer a slot: a plain load and store would do; relaxed keeps it whole for the reader. */
    atomic_fetch_add_explicit(&slot->counters[c], n, memory_order_relaxed);
}

/* Returns the sum over all slots. */
uint64_t counters_total(const struct counters *counters, enum counter c);

/* Sets the slot's state and note; NULL leaves the note. */
void worker_slot_set(struct worker_slot *slot, enum worker_state state, const char *note);

#endif
