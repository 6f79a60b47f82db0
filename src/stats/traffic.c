#include "config.h"

#include "stats/traffic.h"

#include <stdlib.h>
#include <string.h>

#include "base/human.h"
#include "base/log.h"

enum { SMOOTH_S = 10, WARN_EVERY_MS = 60000 };

/* What was counted so far, at a moment. */
struct mark {
    int64_t ms;
    uint64_t events, bytes;
};

struct traffic {
    const struct config *config;
    struct traffic_kinds kinds;
    struct collection_counts *collections;
    struct lag_memory lag_memory;
    double lag_s, eta_s;
    double events_per_s, bytes_per_s, events_per_s_10s;
    struct mark marks[SMOOTH_S + 1]; /* ring; the newest is at ticks - 1 */
    uint64_t ticks;
    double worker_per_s[WORKERS_MAX];
    uint64_t worker_events[WORKERS_MAX];
    double events[HISTORY_SECONDS], lags[HISTORY_SECONDS]; /* the newest is the last */
    bool is_behind;
    int64_t warned_ms;
};

struct traffic *traffic_new(const struct config *config, int64_t now_ms)
{
    struct traffic *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->config = config;
    f->marks[f->ticks++] = (struct mark){.ms = now_ms};
    f->lag_s = f->eta_s = LAG_UNKNOWN;
    for (size_t i = 0; i < HISTORY_SECONDS; i++)
        f->lags[i] = LAG_UNKNOWN;
    f->collections = collection_counts_new();
    if (f->collections == NULL) {
        free(f);
        return NULL;
    }
    return f;
}

void traffic_free(struct traffic *f)
{
    if (f == NULL)
        return;
    collection_counts_free(f->collections);
    free(f);
}

void traffic_count(struct traffic *f, const struct frame_peek *peek)
{
    /* A frame that could not be peeked at stands in as a commit of nobody. */
    enum frame_kind kind = peek->kind == FRAME_COMMIT && peek->did.len == 0 ? FRAME_UNKNOWN : peek->kind;
    f->kinds.counts[kind]++;
    if (peek->path.ptr != NULL)
        collection_counts_count(f->collections, peek->path.ptr, peek->path.len);
}

static double per_second(uint64_t now, uint64_t before, int64_t ms)
{
    return ms > 0 && now > before ? (double)(now - before) * 1000 / (double)ms : 0;
}

static void tick_rates(struct traffic *f, const struct traffic_sample *s)
{
    const struct mark now = {s->now_ms, s->events, s->bytes};
    f->marks[f->ticks++ % (SMOOTH_S + 1)] = now;
    const struct mark *last = &f->marks[(f->ticks - 2) % (SMOOTH_S + 1)];
    const struct mark *oldest = f->ticks > SMOOTH_S ? &f->marks[f->ticks % (SMOOTH_S + 1)] : &f->marks[0];
    int64_t ms = now.ms - last->ms;
    f->events_per_s = per_second(now.events, last->events, ms);
    f->bytes_per_s = per_second(now.bytes, last->bytes, ms);
    f->events_per_s_10s = per_second(now.events, oldest->events, now.ms - oldest->ms);
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        f->worker_per_s[i] = per_second(s->worker_events[i], f->worker_events[i], ms);
    collection_counts_tick(f->collections, (double)ms / 1000);
}

static void keep(double *history, double value)
{
    memmove(history, history + 1, (HISTORY_SECONDS - 1) * sizeof *history);
    history[HISTORY_SECONDS - 1] = value;
}

static void warn_of_lag(struct traffic *f, int64_t now_ms)
{
    char rate[HUMAN_BYTES], eta[HUMAN_BYTES];
    int64_t limit_ms = f->config->lag_warn;
    bool behind = limit_ms > 0 && f->lag_s * 1000 >= (double)limit_ms;
    if (!behind) {
        /* A lag that is only just below the limit, or not known, is no end of it. */
        bool live = f->lag_s >= 0 && f->lag_s < LAG_LIVE_S;
        if (f->is_behind && live)
            log_info("caught up: %.1f s behind the network", f->lag_s);
        f->is_behind = f->is_behind && !live && limit_ms > 0;
        return;
    }
    if (f->is_behind && now_ms - f->warned_ms < WARN_EVERY_MS)
        return;
    f->is_behind = true;
    f->warned_ms = now_ms;
    human_count((uint64_t)f->events_per_s_10s, rate);
    if (f->eta_s >= 0)
        log_warn("behind the network by %.0f s, about %s to live at %s events/s", f->lag_s,
                 human_duration(f->eta_s, eta), rate);
    else
        log_warn("behind the network by %.0f s, at %s events/s", f->lag_s, rate);
}

void traffic_tick(struct traffic *f, const struct traffic_sample *s)
{
    tick_rates(f, s);
    memcpy(f->worker_events, s->worker_events, sizeof f->worker_events);
    f->lag_s = lag_now(&f->lag_memory, s->lags, s->lag_count, s->relay_is_up, s->now_us);
    keep(f->events, f->events_per_s);
    keep(f->lags, f->lag_s);
    f->eta_s = lag_time_to_live(f->lags, HISTORY_SECONDS);
    warn_of_lag(f, s->now_ms);
}

double traffic_lag_s(const struct traffic *f)
{
    return f->lag_s;
}
double traffic_eta_s(const struct traffic *f)
{
    return f->eta_s;
}
double traffic_events_per_s(const struct traffic *f)
{
    return f->events_per_s;
}
double traffic_worker_per_s(const struct traffic *f, unsigned worker)
{
    return f->worker_per_s[worker];
}
const struct traffic_kinds *traffic_kinds(const struct traffic *f)
{
    return &f->kinds;
}
const struct collection_counts *traffic_collections(const struct traffic *f)
{
    return f->collections;
}

/* ---- as JSON ---- */

/* To so many parts of one; value >= 0. */
static json_t *rounded(double value, double unit)
{
    return json_real((double)(int64_t)(value * unit + 0.5) / unit);
}

static json_t *known(double value)
{
    return value >= 0 ? rounded(value, 1000) : json_null();
}

static json_t *collections_json(const struct collection_counts *c)
{
    const struct collection_count *top[COLLECTION_COUNTS_LISTED];
    size_t count = collection_counts_top(c, top, COLLECTION_COUNTS_LISTED);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s#,s:I,s:o}", "name", top[i]->name, (int)top[i]->len, "events",
                                              (json_int_t)top[i]->events, "per_s", rounded(top[i]->per_s, 10)));
    return list;
}

void traffic_add_json(const struct traffic *f, json_t *status)
{
    static const enum frame_kind kinds[] = {FRAME_COMMIT, FRAME_SYNC, FRAME_IDENTITY, FRAME_ACCOUNT, FRAME_UNKNOWN};
    json_t *counts = json_object();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        json_object_set_new(counts, frame_kind_name(kinds[i]), json_integer((json_int_t)f->kinds.counts[kinds[i]]));
    json_object_set_new(status, "lag_s", known(f->lag_s));
    json_object_set_new(status, "eta_s", known(f->eta_s));
    json_object_set_new(status, "rates",
                        json_pack("{s:o,s:o,s:o}", "events_per_s", rounded(f->events_per_s, 10), "bytes_per_s",
                                  rounded(f->bytes_per_s, 1), "events_per_s_10s", rounded(f->events_per_s_10s, 10)));
    json_object_set_new(status, "kinds", counts);
    json_object_set_new(status, "collections", collections_json(f->collections));
    json_object_set_new(status, "collections_other", json_integer((json_int_t)collection_counts_other(f->collections)));
}

json_t *traffic_history_json(const struct traffic *f)
{
    json_t *events = json_array(), *lags = json_array();
    for (size_t i = 0; i < HISTORY_SECONDS; i++) {
        json_array_append_new(events, json_integer((json_int_t)(f->events[i] + 0.5)));
        json_array_append_new(lags, known(f->lags[i]));
    }
    return json_pack("{s:i,s:o,s:o}", "interval_s", 1, "events", events, "lag", lags);
}
