/* sample.c: once a second, what the rooms have counted goes to the figures and to the health. */
#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "master/report/sample.h"
#include "master/context.h"
#include "master/transitions.h"

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

static void sample_figures(struct master *m)
{
    struct traffic_sample s = {
        .now_ms = clock_monotonic_ms(),
        .now_us = clock_unix_us(),
        .events = m->progress.done,
        .bytes = relay_bytes(m->relay),
        .relay_is_up = relay_is_up(m->relay),
    };
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        s.worker_events[i] = events_of(&m->counters->workers[i]);
    for (unsigned i = 0; i < pool_size(m->pool); i++) {
        const struct worker_slot *slot = &m->counters->workers[i];
        s.lags[s.lag_count++] =
            (struct lag_worker){.lag_us = atomic_load_explicit(&slot->lag_us, memory_order_relaxed),
                                .commit_us = atomic_load_explicit(&slot->commit_us, memory_order_relaxed),
                                .queued = ledger_queue_length(m->ledger, i)};
    }
    s.lags[s.lag_count++] = (struct lag_worker){.lag_us = m->totals.filtered_lag_us, .commit_us = m->totals.filtered_at_us};
    m->totals.wants_time = true;
    traffic_tick(m->traffic, &s);
    store_ask_usage(m->store);
}

static void sample_worker(const struct master *m, unsigned i, struct health_worker *out)
{
    const struct worker_slot *slot = &m->counters->workers[i];
    enum worker_state state = (enum worker_state)atomic_load_explicit(&slot->state, memory_order_relaxed);
    struct pool_worker_status w;
    pool_worker_status(m->pool, i, &w);
    *out = (struct health_worker){.is_there = w.pid != 0,
                                  .is_ready = state == WORKER_READY,
                                  .keeps_dying = w.keeps_dying,
                                  .state = worker_state_name(state),
                                  .restarts = w.restarts,
                                  .queued = ledger_queue_length(m->ledger, i),
                                  .events = events_of(slot)};
    snprintf(out->note, sizeof out->note, "%.*s", WORKER_NOTE_BYTES - 1, slot->note);
}

void sample_health(const struct master *m, struct health_sample *s)
{
    *s = (struct health_sample){
        .state = master_state_name(m),
        .is_running = master_is_running(m) && !m->course.is_paused,
        .is_stopping = m->course.state == MASTER_STOPPING,
        .relay_is_up = relay_is_up(m->relay),
        .relay_is_paused = relay_is_paused(m->relay),
        .relay_state = relay_state_name(relay_state(m->relay)),
        .relay_note = relay_trouble(m->relay),
        .redis_is_up = store_is_ready(m->store),
        .redis_state = store_state_name(m->store),
        .redis_note = store_trouble(m->store),
        .lag_s = traffic_lag_s(m->traffic),
        .lag_warn_s = (double)m->config->lag_warn / 1000,
        .workers = pool_size(m->pool),
    };
    for (unsigned i = 0; i < s->workers; i++)
        sample_worker(m, i, &s->worker[i]);
}

void sample_second(struct master *m)
{
    struct health_sample health;
    sample_figures(m);
    sample_health(m, &health);
    health_tick(&m->health, &health);
}
