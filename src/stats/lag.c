#include "config.h"

#include "stats/lag.h"

/* An estimate looks back no further than the window, as the rate changes, and no less far than the other. */
enum { ETA_WINDOW_S = 30, ETA_LEAST_S = 4 };
#define JUMP_S 2.0             /* a lag that rises by more in a second begins another catch-up */
#define NEVER_S (30 * 86400.0) /* a longer estimate says nothing */

/* An event ahead of our clock is not behind the network. */
static double seconds(int64_t us) { return us > 0 ? (double)us / 1e6 : 0; }

double lag_now(struct lag_memory *m, const struct lag_worker *workers, unsigned count, bool relay_is_up, int64_t now_us)
{
    double worst = LAG_UNKNOWN;
    int64_t newest_us = 0;
    for (unsigned i = 0; i < count; i++)
        newest_us = workers[i].commit_us > newest_us ? workers[i].commit_us : newest_us;
    for (unsigned i = 0; i < count; i++) {
        const struct lag_worker *w = &workers[i];
        bool stuck = w->queued > 0 && m->was_queued[i] && m->commit_us[i] == w->commit_us;
        m->was_queued[i] = w->queued > 0;
        m->commit_us[i] = w->commit_us;
        if (w->commit_us == 0)
            continue;
        int64_t since = now_us > w->commit_us ? now_us - w->commit_us : 0;
        bool waits = stuck || !relay_is_up;
        if (!waits && w->queued == 0 &&
            (since > LAG_QUIET_S * INT64_C(1000000) || newest_us - w->commit_us > LAG_RECENT_S * INT64_C(1000000)))
            continue; /* the other workers have newer commits */
        double lag = seconds(w->lag_us + (waits ? since : 0));
        worst = lag > worst ? lag : worst;
    }
    return worst;
}

double lag_time_to_live(const double *lags, size_t count)
{
    size_t first = count;
    if (count == 0 || lags[count - 1] < LAG_LIVE_S)
        return LAG_UNKNOWN;
    while (first > 0 && count - first <= ETA_WINDOW_S && lags[first - 1] >= 0 &&
           (first == count || lags[first - 1] > lags[first] - JUMP_S))
        first--;
    if (count - first <= ETA_LEAST_S)
        return LAG_UNKNOWN;
    double rate = (lags[first] - lags[count - 1]) / (double)(count - first - 1);
    if (rate <= 0 || lags[count - 1] / rate > NEVER_S)
        return LAG_UNKNOWN;
    return lags[count - 1] / rate;
}
