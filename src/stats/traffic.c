#include "config.h"

#include "stats/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/human.h"
#include "base/log.h"
#include "stats/lag.h"

enum { SMOOTH_S = 10, WARN_EVERY_MS = 60000 };

/* The counts at a moment. */
struct mark {
    int64_t ms;
    uint64_t events, bytes;
};

struct traffic {
    uint64_t kinds[EVENT_KINDS];
    struct collection_counts *collections;
    struct lag_memory lag_memory;
    double lag_s, eta_s;
    double events_per_s, bytes_per_s, events_per_s_10s;
    struct mark marks[SMOOTH_S + 1]; /* ring; the newest is at ticks - 1 */
    uint64_t ticks;
    double worker_per_s[WORKERS_MAX];
    uint64_t worker_events[WORKERS_MAX];
    struct history *history;
    uint64_t kinds_before[EVENT_KINDS], dead_before; /* as of the last tick */
    int64_t kept_ms;
    bool is_behind;
    int64_t warned_ms;
};

struct traffic *traffic_new(int64_t now_ms)
{
    struct traffic *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->marks[t->ticks++] = (struct mark){.ms = now_ms};
    t->lag_s = t->eta_s = LAG_UNKNOWN;
    t->kept_ms = now_ms;
    t->collections = collection_counts_new();
    t->history = history_new();
    if (t->collections != NULL && t->history != NULL)
        return t;
    traffic_free(t);
    return NULL;
}

void traffic_free(struct traffic *t)
{
    if (t == NULL)
        return;
    collection_counts_free(t->collections);
    history_free(t->history);
    free(t);
}

void traffic_count(struct traffic *t, enum event_kind kind, const uint8_t *path, size_t path_len)
{
    t->kinds[kind]++;
    if (path != NULL)
        collection_counts_count(t->collections, path, path_len);
}

static double per_second(uint64_t now, uint64_t before, int64_t ms)
{
    return ms > 0 && now > before ? (double)(now - before) * 1000 / (double)ms : 0;
}

static void tick_rates(struct traffic *t, const struct snapshot *s)
{
    const struct mark now = {s->now_ms, s->done, s->relay_bytes};
    t->marks[t->ticks++ % (SMOOTH_S + 1)] = now;
    const struct mark *last = &t->marks[(t->ticks - 2) % (SMOOTH_S + 1)];
    const struct mark *oldest = t->ticks > SMOOTH_S ? &t->marks[t->ticks % (SMOOTH_S + 1)] : &t->marks[0];
    int64_t ms = now.ms - last->ms;
    t->events_per_s = per_second(now.events, last->events, ms);
    t->bytes_per_s = per_second(now.bytes, last->bytes, ms);
    t->events_per_s_10s = per_second(now.events, oldest->events, now.ms - oldest->ms);
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        t->worker_per_s[i] = per_second(s->worker[i].events, t->worker_events[i], ms);
        t->worker_events[i] = s->worker[i].events;
    }
    collection_counts_tick(t->collections, (double)ms / 1000);
}

static double slowest_round_trip_ms(const struct snapshot *s)
{
    uint64_t slowest = 0;
    for (unsigned i = 0; i < s->workers; i++)
        slowest = s->worker[i].round_trip_us > slowest ? s->worker[i].round_trip_us : slowest;
    return (double)slowest / 1000;
}

static void keep(struct traffic *t, const struct snapshot *s)
{
    _Static_assert(HISTORY_COMMIT + (int)EVENT_KINDS == (int)HISTORY_DEAD_LETTERS, "one series a kind");
    int64_t ms = s->now_ms - t->kept_ms;
    uint64_t dead = s->counts[COUNTER_QUARANTINED];
    double values[HISTORY_SERIES] = {
        [HISTORY_EVENTS] = t->events_per_s,
        [HISTORY_DEAD_LETTERS] = per_second(dead, t->dead_before, ms),
        [HISTORY_LAG] = t->lag_s,
        [HISTORY_RING] = s->ring_size > 0 ? (double)s->ring_used * 100 / (double)s->ring_size : 0,
        [HISTORY_ROUND_TRIP] = slowest_round_trip_ms(s),
    };
    for (int k = 0; k < EVENT_KINDS; k++) {
        values[HISTORY_COMMIT + k] = per_second(t->kinds[k], t->kinds_before[k], ms);
        t->kinds_before[k] = t->kinds[k];
    }
    t->dead_before = dead;
    t->kept_ms = s->now_ms;
    history_add(t->history, values);
}

static void warn_of_lag(struct traffic *t, int64_t now_ms, double limit_s)
{
    char rate[HUMAN_BYTES], eta[HUMAN_BYTES], about[HUMAN_BYTES + 20] = "";
    if (limit_s <= 0 || t->lag_s < limit_s) {
        /* A lag just below the limit, or an unknown one, does not end it. */
        bool live = t->lag_s >= 0 && t->lag_s < LAG_LIVE_S;
        if (t->is_behind && live)
            log_info("caught up: %.1f s behind the network", t->lag_s);
        t->is_behind = t->is_behind && !live && limit_s > 0;
        return;
    }
    if (t->is_behind && now_ms - t->warned_ms < WARN_EVERY_MS)
        return;
    t->is_behind = true;
    t->warned_ms = now_ms;
    if (t->eta_s >= 0)
        snprintf(about, sizeof about, " about %s to live", human_duration(t->eta_s, eta));
    log_warn("behind the network by %.0f s,%s at %s events/s", t->lag_s, about,
             human_count((uint64_t)t->events_per_s_10s, rate));
}

/* The master counts as one more worker: it sees the frames that it filters. */
static double lag_of(struct traffic *t, const struct snapshot *s)
{
    struct lag_worker lags[LAG_SOURCES];
    for (unsigned i = 0; i < s->workers; i++)
        lags[i] = (struct lag_worker){s->worker[i].lag_us, s->worker[i].commit_us, s->worker[i].queued};
    lags[s->workers] = (struct lag_worker){.lag_us = s->filtered_lag_us, .commit_us = s->filtered_at_us};
    return lag_now(&t->lag_memory, lags, s->workers + 1, s->relay_is_up, s->now_us);
}

void traffic_tick(struct traffic *t, const struct snapshot *s)
{
    tick_rates(t, s);
    t->lag_s = lag_of(t, s);
    keep(t, s);
    t->eta_s = lag_time_to_live(history_seconds(t->history, HISTORY_LAG), HISTORY_SECONDS);
    warn_of_lag(t, s->now_ms, s->lag_warn_s);
}

void traffic_fill(const struct traffic *t, struct snapshot *s)
{
    const struct collection_count *top[COLLECTION_COUNTS_MAX];
    memcpy(s->kinds, t->kinds, sizeof s->kinds);
    s->lag_s = t->lag_s;
    s->eta_s = t->eta_s;
    s->events_per_s = t->events_per_s;
    s->bytes_per_s = (double)(uint64_t)(t->bytes_per_s + 0.5);
    s->events_per_s_10s = t->events_per_s_10s;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        s->worker[i].per_s = t->worker_per_s[i];
    s->collections_other = collection_counts_other(t->collections);
    s->collection_count = collection_counts_top(t->collections, top, COLLECTION_COUNTS_MAX);
    for (size_t i = 0; i < s->collection_count; i++)
        s->collections[i] = *top[i];
}

json_t *traffic_history_json(const struct traffic *t, enum history_span span) { return history_json(t->history, span); }
