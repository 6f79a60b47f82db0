/* faults.h: what a served relay does wrong on purpose. Each fault says on stderr when it fires, so that a test can
 * check that it really did. */
#ifndef FIREHOSE_REPLAY_FAULTS_H
#define FIREHOSE_REPLAY_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_FOR_EVER UINT64_MAX

/* Something that happens to a connection after so many of its frames, to so many connections. */
struct fault {
    bool is_set;
    uint64_t after;
    uint64_t times; /* left, or FAULT_FOR_EVER */
};

struct faults {
    struct fault drop;   /* TCP close, without a word */
    struct fault stall;  /* silence; the connection stays open and nothing is read or answered */
    struct fault garble; /* a message of garbage, then on as if nothing were */
    uint64_t repeat_every;      /* 0: never */
    uint64_t accept_then_close; /* connections left that are upgraded and closed at once */
    int http_status;            /* 0: never; else instead of an upgrade */
    uint64_t http_times;        /* upgrades left that are answered so */
};

/* True if this fault is due after `frames` frames of a connection; takes one of its times. */
static inline bool fault_fires(struct fault *f, uint64_t frames)
{
    if (!f->is_set || frames != f->after || f->times == 0)
        return false;
    if (f->times != FAULT_FOR_EVER)
        f->times--;
    return true;
}

/* The same for those that count connections only. */
static inline bool fault_takes_connection(uint64_t *left)
{
    if (*left == 0)
        return false;
    if (*left != FAULT_FOR_EVER)
        (*left)--;
    return true;
}

/* "503" or "503:2" (status:times). False: neither. */
bool faults_parse_http(struct faults *f, const char *text);

#endif
