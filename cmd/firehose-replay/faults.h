/* faults.h: the faults that a served relay makes on purpose. Each prints a line on stderr when it fires, so that a test
 * can check it. */
#ifndef FIREHOSE_REPLAY_FAULTS_H
#define FIREHOSE_REPLAY_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_FOR_EVER UINT64_MAX

/* A fault that happens to a number of connections, after a number of frames. */
struct fault {
    bool is_set;
    uint64_t after; /* frames of a connection */
    uint64_t times; /* connections left, or FAULT_FOR_EVER */
};

struct faults {
    struct fault drop;   /* TCP close, without a close frame */
    struct fault stall;  /* silence: the connection stays open, and the relay reads and answers nothing */
    struct fault garble; /* a message of garbage, and then more frames */
    uint64_t repeat_every;      /* frames; 0: never */
    uint64_t accept_then_close; /* connections left that are upgraded and closed at once */
    int http_status;            /* the answer instead of an upgrade; 0: none */
    uint64_t http_times;        /* upgrades left that get this answer */
};

/* Returns true if the fault is due after `frames` frames of a connection, and uses up one of its times. */
static inline bool fault_fires(struct fault *f, uint64_t frames)
{
    if (!f->is_set || frames != f->after || f->times == 0)
        return false;
    if (f->times != FAULT_FOR_EVER)
        f->times--;
    return true;
}

/* Returns true if `left` allows one more connection, and counts it down. */
static inline bool fault_takes_connection(uint64_t *left)
{
    if (*left == 0)
        return false;
    if (*left != FAULT_FOR_EVER)
        (*left)--;
    return true;
}

/* Parses "503" or "503:2" (status:times). Returns false for any other text. */
bool faults_parse_http(struct faults *f, const char *text);

#endif
