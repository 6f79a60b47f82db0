/* timing.h: how old events are when they are committed.
 *
 * Each event carries the time at which its server sent it, and the worker decodes that anyway. A batch remembers the
 * texts of its last few events. When the batch is committed, they are read and compared with the clock: a handful a
 * transaction, not one an event. Some servers' clocks are hours off; so the worker publishes the median of the last
 * LAG_EVENTS in its slot. */
#ifndef FIREHOSED_WORKER_TIMING_H
#define FIREHOSED_WORKER_TIMING_H

#include <stdint.h>
#include <string.h>

#include "atproto/frame.h"
#include "ipc/counters.h"

enum {
    TIMING_TEXTS = 8,
    TIMING_TEXT_BYTES = 40, /* the longest in use, with nanoseconds and offset, has 35 */
    LAG_EVENTS = 15,
};

/* Of a batch. Zeroed is empty. */
struct event_times {
    char texts[TIMING_TEXTS][TIMING_TEXT_BYTES];
    uint8_t lengths[TIMING_TEXTS];
    unsigned count; /* noted so far; the last TIMING_TEXTS are kept */
};

static inline void event_times_note(struct event_times *t, struct slice time)
{
    if (time.ptr == NULL || time.len > TIMING_TEXT_BYTES)
        return;
    unsigned i = t->count++ % TIMING_TEXTS;
    memcpy(t->texts[i], time.ptr, time.len);
    t->lengths[i] = (uint8_t)time.len;
}

/* Of a worker. Zeroed is empty. */
struct timing {
    int64_t lags_us[LAG_EVENTS];
    unsigned count;
};

/* The batch was committed at now_us (since 1970): publishes the lag in the slot. Unreadable times are skipped. */
void timing_committed(struct timing *t, const struct event_times *times, int64_t now_us, struct worker_slot *slot);

#endif
