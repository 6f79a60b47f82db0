#include "config.h"

#include "relay/start_search.h"

enum {
    FIRST_STEP = 4096, /* some seconds of today's network */
    STEP_FACTOR = 4,
};

void start_search_begin(struct start_search *s, int64_t wanted_us)
{
    *s = (struct start_search){.is_on = true, .wanted_us = wanted_us};
}

struct optional start_search_cursor(const struct start_search *s)
{
    if (!s->newest.is_known)
        return optional_none();
    return optional_of(s->step < s->newest.value ? s->newest.value - s->step : 0);
}

enum start_verdict start_search_judge(struct start_search *s, int64_t seq, int64_t time_us)
{
    bool is_first = !s->newest.is_known;
    /* The relay has nothing older if it began at the same event as last time, although it was asked for an older one,
     * or if it was asked for all that it has. */
    bool is_oldest = !is_first && (seq >= s->first || s->step >= s->newest.value);
    if (time_us <= s->wanted_us || is_oldest) {
        s->is_on = false;
        return START_FOUND;
    }
    if (is_first)
        s->newest = optional_of(seq);
    s->first = seq;
    s->step = is_first ? FIRST_STEP : s->step > INT64_MAX / STEP_FACTOR ? INT64_MAX : s->step * STEP_FACTOR;
    return START_RETRY;
}
