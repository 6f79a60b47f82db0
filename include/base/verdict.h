/* verdict.h: what the master knows against a frame. Ring, channel and worker carry it. */
#ifndef FIREHOSED_BASE_VERDICT_H
#define FIREHOSED_BASE_VERDICT_H

/* A frame with a verdict goes to the dead letters, with the reason and without being decoded. */
enum verdict {
    VERDICT_NONE,
    VERDICT_SIGNAL,      /* killed its worker again and again; cause: by which signal */
    VERDICT_EXIT,        /* made its worker exit again and again; cause: with which status */
    VERDICT_HANG,        /* made its worker hang again and again */
    VERDICT_IMPLAUSIBLE, /* its seq is no part of the relay's sequence: it has no mark, and sets none */
};

#endif
