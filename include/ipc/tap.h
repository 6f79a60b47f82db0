/* tap.h: events as they pass, for those who watch (firehosectl tail). Workers write, the master reads.
 *
 * A tap is a socket pair of its own, SOCK_SEQPACKET, whose one end goes to every worker with IPC_TAP. No worker waits
 * for it: an event that does not fit in is left out and counted. A message is a struct tap_head and the JSON;
 * without JSON it tells only how many events were left out. */
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
    uint64_t left_out; /* events that this worker left out of this tap since its last message */
    uint16_t kind;     /* enum frame_kind */
    uint16_t reserved[3];
};

/* The text of IPC_TAP is "DID\ncollections"; an empty part means all. */

#endif
