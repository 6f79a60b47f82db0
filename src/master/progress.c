#include "config.h"

#include "master/progress.h"

enum { LEAST_MS = 10000, MOST_MS = 60000 };

struct progress_report progress_report(struct progress *p, uint64_t step, int64_t now_ms)
{
    int64_t ms = now_ms - p->reported_ms;
    bool has_step = p->done / step != p->reported / step && (p->reported == 0 || ms >= LEAST_MS);
    struct progress_report r = {.is_due = has_step || ms >= MOST_MS};
    if (!r.is_due)
        return r;
    r.events = has_step ? p->done / step * step : p->done;
    r.per_second = ms > 0 ? (p->done - p->reported) * 1000 / (uint64_t)ms : 0;
    p->reported = p->done;
    p->reported_ms = now_ms;
    return r;
}
