#include "config.h"

#include "stats/health.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/human.h"
#include "base/text.h"

void health_tick(struct health *h, const struct snapshot *s)
{
    for (unsigned i = 0; i < s->workers; i++) {
        const struct snapshot_worker *w = &s->worker[i];
        bool stands = h->was_queued[i] && w->queued > 0 && w->events == h->events[i];
        h->stuck_s[i] = stands ? h->stuck_s[i] + 1 : 0;
        h->was_queued[i] = w->queued > 0;
        h->events[i] = w->events;
    }
}

/* ---- reasons: a list, or only their number ---- */

struct reasons {
    json_t *list; /* NULL: nobody reads them */
    unsigned count;
};

__attribute__((format(printf, 2, 3))) static void give(struct reasons *r, const char *format, ...)
{
    char text[400];
    va_list args;
    r->count++;
    if (r->list == NULL)
        return;
    va_start(args, format);
    text_vformat(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(r->list, json_string(text));
}

static const char *colon(const char *note) { return note[0] != '\0' ? ": " : ""; }

/* ---- what each question asks ---- */

static void dying_workers(const struct snapshot *s, struct reasons *r)
{
    for (unsigned i = 0; i < s->workers; i++)
        if (s->worker[i].keeps_dying)
            give(r, "worker %u keeps dying (%" PRIu64 " restarts so far)", i, s->worker[i].restarts);
}

static void absent_peers(const struct snapshot *s, struct reasons *r)
{
    if (!s->relay_is_up && !s->is_stopping)
        give(r, "relay: %s%s%s", s->relay_state, colon(s->relay_note), s->relay_note);
    if (!s->redis_is_up)
        give(r, "redis: %s%s%s", s->redis_state, colon(s->redis_note), s->redis_note);
}

static void idle_workers(const struct health *h, const struct snapshot *s, struct reasons *r)
{
    for (unsigned i = 0; i < s->workers; i++) {
        const struct snapshot_worker *w = &s->worker[i];
        if (!w->is_there || !w->is_ready)
            give(r, "worker %u: %s%s%s", i, w->is_there ? w->state : "gone", colon(w->note), w->note);
        else if (h->stuck_s[i] >= HEALTH_STUCK_S)
            give(r, "worker %u: nothing committed for %u s, %" PRIu64 " frames wait", i, h->stuck_s[i], w->queued);
    }
}

static void remarks(const struct snapshot *s, struct reasons *r)
{
    char lag[HUMAN_BYTES];
    if (s->relay_is_paused)
        give(r, "the ring is full, the relay waits");
    if (s->redis_is_unsafe)
        give(r, "redis: %s", s->redis_concern);
    if (s->lag_s >= 0 && s->lag_warn_s > 0 && s->lag_s >= s->lag_warn_s)
        give(r, "behind the network by %s", human_duration(s->lag_s, lag));
}

static void why_not_ready(const struct health *h, const struct snapshot *s, struct reasons *r)
{
    if (!s->is_running)
        give(r, "firehosed is %s", s->state);
    absent_peers(s, r);
    if (s->is_running && s->workers == 0)
        give(r, "there are no workers");
    idle_workers(h, s, r);
}

bool health_is_well(const struct snapshot *s)
{
    struct reasons r = {0};
    dying_workers(s, &r);
    return r.count == 0;
}

bool health_is_ready(const struct health *h, const struct snapshot *s)
{
    struct reasons r = {0};
    why_not_ready(h, s, &r);
    return r.count == 0;
}

static json_t *answer(const char *status, const struct reasons *why, const struct reasons *notes)
{
    return json_pack("{s:s,s:o,s:o}", "status", status, "reasons", why->list, "notes", notes->list);
}

json_t *health_json(const struct snapshot *s)
{
    struct reasons why = {.list = json_array()}, notes = {.list = json_array()};
    dying_workers(s, &why);
    absent_peers(s, &notes);
    remarks(s, &notes);
    return answer(why.count == 0 ? "ok" : "failing", &why, &notes);
}

json_t *health_ready_json(const struct health *h, const struct snapshot *s)
{
    struct reasons why = {.list = json_array()}, notes = {.list = json_array()};
    why_not_ready(h, s, &why);
    dying_workers(s, &notes);
    remarks(s, &notes);
    return answer(why.count == 0 ? "ready" : "not ready", &why, &notes);
}
