/* tap.h: what a worker sends into a tap: events as they pass, for whoever watches (firehosectl tail).
 *
 * A tap is a socket pair of its own, SOCK_SEQPACKET, whose one end goes to every worker with IPC_TAP. Nothing waits for
 * it: what does not fit in is left out and counted. A message is a struct tap_head and the event's JSON. */
#ifndef FIREHOSED_IPC_TAP_H
#define FIREHOSED_IPC_TAP_H

#include <stdint.h>

#include "ipc/channel.h"

enum {
    TAPS_MAX = 8,
    TAP_EVENT_MAX_BYTES = 128 * 1024, /* larger events are left out: a socket buffer does not take much more */
    TAP_FILTER_BYTES = IPC_TEXT_BYTES - 2,
};

struct tap_head {
    int64_t seq;
    uint64_t left_out; /* by this worker, of this tap, since the message before */
    uint16_t kind;     /* enum frame_kind */
    uint16_t reserved[3];
};

/* The text of IPC_TAP: "DID\ncollections", either may be empty: all. */

#endif
