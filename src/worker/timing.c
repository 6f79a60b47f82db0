#include "config.h"

#include "worker/timing.h"

#include "base/rfc3339.h"

/* Sorts a copy by insertion, as there are few. Returns 0 if there are none. */
static int64_t median(const int64_t *values, unsigned count)
{
    int64_t sorted[LAG_EVENTS] = {0};
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > values[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = values[i];
    }
    return sorted[count / 2];
}

void timing_committed(struct timing *t, const struct event_times *times, int64_t now_us, struct worker_slot *slot)
{
    unsigned kept = times->count < TIMING_TEXTS ? times->count : TIMING_TEXTS, before = t->count;
    for (unsigned i = 0; i < kept; i++) {
        int64_t sent_us;
        if (rfc3339_parse(times->texts[i], times->lengths[i], &sent_us))
            t->lags_us[t->count++ % LAG_EVENTS] = now_us - sent_us;
    }
    if (t->count == before)
        return; /* all of them were duplicates or unreadable */
    /* In this order: a reader that sees the new time with the old lag is off by one batch only. */
    atomic_store_explicit(&slot->lag_us, median(t->lags_us, t->count < LAG_EVENTS ? t->count : LAG_EVENTS),
                          memory_order_relaxed);
    atomic_store_explicit(&slot->commit_us, now_us, memory_order_relaxed);
}
