/* sample.c: once a second, what the rooms have counted goes to the figures. */
#include "config.h"

#include "base/clock.h"
#include "master_internal.h"

/* Everything that a worker has dealt with, whatever became of it. */
static uint64_t events_of(const struct worker_slot *slot)
{
    static const enum counter outcomes[] = {COUNTER_WRITTEN, COUNTER_FILTERED, COUNTER_QUARANTINED,
                                            COUNTER_DUPLICATE};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        sum += atomic_load_explicit(&slot->counters[outcomes[i]], memory_order_relaxed);
    return sum;
}

void sample_figures(struct master *m)
{
    struct figures_sample s = {
        .now_ms = clock_monotonic_ms(),
        .now_us = clock_unix_us(),
        .events = m->done,
        .bytes = relay_bytes(m->relay),
        .relay_is_up = relay_is_up(m->relay),
        .workers = pool_size(m->pool),
    };
    for (unsigned i = 0; i < CONFIG_MAX_WORKERS; i++) {
        const struct worker_slot *slot = &m->counters->workers[i];
        s.lags[i] =
            (struct lag_worker){.lag_us = atomic_load_explicit(&slot->lag_us, memory_order_relaxed),
                                .commit_us = atomic_load_explicit(&slot->commit_us, memory_order_relaxed),
                                .queued = i < s.workers ? ledger_queue_length(m->ledger, i) : 0};
        s.worker_events[i] = events_of(slot);
    }
    figures_tick(m->figures, &s);
    store_ask_figures(m->store);
}
