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
    if (s->is_confirmed)
        return optional_of(s->first > 0 ? s->first - 1 : 0);
    if (!s->newest.is_known)
        return optional_none();
    return optional_of(s->step < s->newest.value ? s->newest.value - s->step : 0);
}

void start_search_connected(struct start_search *s) { s->sampled = s->too_new = s->at_last_tick = 0; }

static enum start_verdict step_back(struct start_search *s)
{
    bool is_live = !s->newest.is_known;
    if (is_live)
        s->newest = optional_of(s->first);
    s->step = is_live ? FIRST_STEP : s->step > INT64_MAX / STEP_FACTOR ? INT64_MAX : s->step * STEP_FACTOR;
    return START_RETRY;
}

bool start_search_tick(struct start_search *s)
{
    bool is_over = s->is_on && !s->is_confirmed && s->sampled > 0 && s->sampled == s->at_last_tick;
    s->at_last_tick = s->sampled;
    if (is_over && s->newest.is_known)
        s->is_confirmed = true;
    else if (is_over)
        step_back(s); /* a few live events prove little, and a look further back costs little */
    return is_over;
}

static enum start_verdict judge_first(struct start_search *s, int64_t seq, bool is_too_new)
{
    /* The relay has nothing older if it began at the same event as last time, although it was asked for an older one,
     * or if it was asked for all that it has. */
    bool is_oldest = s->newest.is_known && (seq >= s->first || s->step >= s->newest.value);
    if (is_oldest || s->is_confirmed) {
        s->is_on = false;
        return START_FOUND;
    }
    s->first = seq;
    return is_too_new ? step_back(s) : START_SKIP;
}

enum start_verdict start_search_judge(struct start_search *s, int64_t seq, int64_t time_us)
{
    bool is_too_new = time_us > s->wanted_us;
    s->too_new += is_too_new;
    if (s->sampled++ == 0)
        return judge_first(s, seq, is_too_new);
    if (s->too_new > START_SAMPLE / 2)
        return step_back(s);
    s->is_confirmed = s->sampled >= START_SAMPLE;
    return s->is_confirmed ? START_RETRY : START_SKIP;
}
