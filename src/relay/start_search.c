#include "config.h"

#include "relay/start_search.h"

enum {
    FIRST_STEP = 4096, /* some seconds of today's network */
    STEP_FACTOR = 4,
};

void start_search_begin(struct start_search *k, int64_t wanted_us)
{
    *k = (struct start_search){.is_on = true, .wanted_us = wanted_us};
}

bool start_search_cursor(const struct start_search *k, int64_t *cursor)
{
    *cursor = k->step < k->newest ? k->newest - k->step : 0;
    return k->has_newest;
}

static enum start_verdict found(struct start_search *k)
{
    k->is_on = false;
    return START_FOUND;
}

enum start_verdict start_search_judge(struct start_search *k, int64_t seq, int64_t time_us)
{
    if (time_us <= k->wanted_us)
        return found(k);
    if (!k->has_newest) {
        k->has_newest = true;
        k->newest = k->first = seq;
        k->step = FIRST_STEP;
        return START_RETRY;
    }
    /* It was asked for something older than last time, and began at the same event, or had nothing left to
     * ask for: there is nothing older. */
    if (seq >= k->first || k->step >= k->newest)
        return found(k);
    k->first = seq;
    k->step = k->step > INT64_MAX / STEP_FACTOR ? INT64_MAX : k->step * STEP_FACTOR;
    return START_RETRY;
}
