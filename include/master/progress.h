/* progress.h: when the log says how many events firehosed has processed. Pure. */
#ifndef FIREHOSED_MASTER_PROGRESS_H
#define FIREHOSED_MASTER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Frames that are committed, and those of them that the log has reported. */
struct progress {
    uint64_t done, reported;
    int64_t reported_ms; /* monotonic; at first the time of the start */
};

struct progress_report {
    bool is_due;
    uint64_t events, per_second;
};

/* Decides whether a line is due: each time `step` more events are done, but at most every 10 s (the first one at once),
 * and at least every 60 s, whatever has come. If it is due, the report counts as given. */
struct progress_report progress_report(struct progress *p, uint64_t step, int64_t now_ms);

#endif
