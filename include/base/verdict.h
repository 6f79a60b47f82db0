/* verdict.h: the master's reason to give a frame to the dead letters. Ring, channel and worker carry it. */
#ifndef FIREHOSED_BASE_VERDICT_H
#define FIREHOSED_BASE_VERDICT_H

/* A worker does not decode a frame with a verdict; it writes the frame to the dead letters, with the reason. */
enum verdict {
    VERDICT_NONE,
    VERDICT_SIGNAL,      /* the frame killed its worker twice; the cause is the signal */
    VERDICT_EXIT,        /* the frame made its worker exit twice; the cause is the exit status */
    VERDICT_HANG,        /* the frame made its worker hang twice */
    VERDICT_IMPLAUSIBLE, /* its seq does not belong to the relay's sequence: no mark filters it, and it sets none */
};

#endif
