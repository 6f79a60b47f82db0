#include "config.h"

#include "server.h"

#include "base/clock.h"

enum { PRODUCTION_MIN_MS = 2, PRODUCTION_MAX_MS = 1000 };

static bool is_paced(const struct server *s) { return s->options->rate > 0; }

static uint64_t produced(const struct server *s)
{
    if (s->produced_since_ms < 0)
        return s->options->backlog;
    double elapsed_s = (double)(clock_monotonic_ms() - s->produced_since_ms) / 1000;
    return s->options->backlog + (uint64_t)(elapsed_s * s->options->rate);
}

uint64_t server_limit(const struct server *s)
{
    uint64_t there = is_paced(s) ? produced(s) : SEQUENCE_ENDLESS;
    return there < s->sequence.end ? there : s->sequence.end;
}

uint64_t server_live(const struct server *s) { return is_paced(s) ? server_limit(s) : s->furthest; }

/* The bounds on the delay keep the timer from firing too often, and a client from a long silence. */
void server_await_production(struct server *s)
{
    double ms = 1000 / s->options->rate;
    ms = ms < PRODUCTION_MIN_MS ? PRODUCTION_MIN_MS : ms > PRODUCTION_MAX_MS ? PRODUCTION_MAX_MS : ms;
    struct timeval delay = clock_timeval((int64_t)ms);
    if (server_limit(s) < s->sequence.end)
        evtimer_add(s->production, &delay);
}

void server_start_production(struct server *s)
{
    if (!is_paced(s) || s->produced_since_ms >= 0)
        return;
    s->produced_since_ms = clock_monotonic_ms();
    server_await_production(s);
}
