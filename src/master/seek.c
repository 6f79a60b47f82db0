#include "config.h"

#include "master/seek.h"

enum {
    FIRST_STEP = 4096, /* some seconds of today's network */
    STEP_FACTOR = 4,
};

void seek_begin(struct seek *k, int64_t wanted_us)
{
    *k = (struct seek){.is_on = true, .wanted_us = wanted_us};
}

bool seek_cursor(const struct seek *k, int64_t *cursor)
{
    *cursor = k->step < k->newest ? k->newest - k->step : 0;
    return k->has_newest;
}

static enum seek_verdict found(struct seek *k)
{
    k->is_on = false;
    return SEEK_FOUND;
}

enum seek_verdict seek_judge(struct seek *k, int64_t seq, int64_t time_us)
{
    if (time_us <= k->wanted_us)
        return found(k);
    if (!k->has_newest) {
        k->has_newest = true;
        k->newest = k->first = seq;
        k->step = FIRST_STEP;
        return SEEK_AGAIN;
    }
    /* It was asked for something older than last time, and began at the same event, or had nothing left to
     * ask for: there is nothing older. */
    if (seq >= k->first || k->step >= k->newest)
        return found(k);
    k->first = seq;
    k->step = k->step > INT64_MAX / STEP_FACTOR ? INT64_MAX : k->step * STEP_FACTOR;
    return SEEK_AGAIN;
}
