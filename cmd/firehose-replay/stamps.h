/* stamps.h: when each event was sent, in a file that another process maps: what latency is measured from.
 *
 * The file is an array of 64-bit numbers in host order: [0] the seq that stands at [1], and from [1] on the
 * CLOCK_MONOTONIC nanoseconds at which that seq was handed to the connection, just before the write; 0: not yet.
 * Writing costs a store an event and no system call. */
#ifndef FIREHOSE_REPLAY_STAMPS_H
#define FIREHOSE_REPLAY_STAMPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Events that have room: minutes at any rate that latency is measured at. The file is sparse. */
enum { STAMPS_MAX = 1 << 24 };

struct stamps {
    int64_t *at; /* NULL: nobody wants any */
    uint64_t first_seq;
};

/* Makes the file. False: *why. */
bool stamps_open(struct stamps *s, const char *path, uint64_t first_seq, struct error *why);
void stamps_close(struct stamps *s);

/* The event with this seq goes out now. Those beyond STAMPS_MAX are not noted. */
void stamps_note(struct stamps *s, uint64_t seq);

#endif
