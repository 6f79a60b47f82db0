/* blame.h: whose fault the death of a worker is. Pure.
 *
 * A worker died while it was at work on frames. If it had only one, that one is to blame: two points if the worker fell
 * by itself or hung, one if somebody else killed it (the kernel out of memory, perhaps because of the frame). */
#ifndef FIREHOSED_POOL_BLAME_H
#define FIREHOSED_POOL_BLAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"

/* After so many poison frames without a good one between them, no frame is blamed: then the worker is broken, and must
 * not throw the whole firehose away. */
enum { CONDEMNED_MAX = 16 };

struct blame_case {
    size_t in_flight;       /* frames that the worker had */
    bool was_on_frames;     /* it was reading or decoding, not waiting or talking */
    bool is_condemned;      /* the frame has a verdict already, and was not decoded */
    bool was_hung;          /* the master killed the worker, as it gave no sign of life */
    int status;             /* of waitpid() */
    unsigned condemned;     /* frames condemned since the last one that was written */
};

struct blame {
    enum blame_kind {
        BLAME_NOBODY,
        BLAME_FRAME,  /* it gets the points; with POISON_POINTS, the verdict */
        BLAME_WORKER, /* the frame would be to blame, but too many were condemned in a row */
    } kind;
    unsigned points;
    enum verdict verdict;
    uint8_t cause; /* number of a signal, or an exit status */
};

struct blame blame_decide(const struct blame_case *c);

#endif
