/* liveness.h: whether a connection is still alive. Pure: no clock, no I/O.
 *
 * A silent connection gets a ping, and is over if even that brings no byte. Bytes alone are no headway: with empty
 * fragments, pings within a message or a byte now and then, a relay could keep a connection open for ever on which no
 * event comes. */
#ifndef FIREHOSED_RELAY_LIVENESS_H
#define FIREHOSED_RELAY_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"

struct liveness {
    int64_t byte_ms;    /* when the last byte came */
    int64_t headway_ms; /* when a message last ended, or none had begun */
    bool is_pinged;     /* since the last byte */
};

struct liveness_answer {
    enum liveness_verdict {
        LIVENESS_FINE,
        LIVENESS_PING,   /* send a ping */
        LIVENESS_SILENT, /* over: no byte has come within relay_idle_timeout */
        LIVENESS_STUCK,  /* over: a message has not ended within relay_idle_timeout */
    } verdict;
    int64_t next_ms; /* when to ask again, from now */
};

/* The connection is fresh, or was not read: its silence before now_ms proves nothing. */
void liveness_reset(struct liveness *l, int64_t now_ms);

/* Bytes have come. has_headway: a message ended with them, or none has begun. */
void liveness_on_bytes(struct liveness *l, int64_t now_ms, bool has_headway);

struct liveness_answer liveness_judge(struct liveness *l, int64_t now_ms, bool is_within_message,
                                      const struct config *config);

#endif
