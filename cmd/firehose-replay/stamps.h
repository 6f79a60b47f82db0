/* stamps.h: the time when each event was sent, in a file that another process maps to measure latency.
 *
 * The file is an array of 64-bit numbers in host order: [0] is the seq of [1], and from [1] on each number is the
 * CLOCK_MONOTONIC time in nanoseconds when that seq went to the connection, just before the write; 0: not yet. A stamp
 * costs a store and no system call. */
#ifndef FIREHOSE_REPLAY_STAMPS_H
#define FIREHOSE_REPLAY_STAMPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* The number of events in the file: enough for minutes at any useful rate. The file is sparse. */
enum { STAMPS_MAX = 1 << 24 };

struct stamps {
    int64_t *at; /* NULL: no stamps are wanted */
    uint64_t first_seq;
};

/* Makes the file. Returns false and fills *why on failure. */
bool stamps_open(struct stamps *s, const char *path, uint64_t first_seq, struct error *why);
void stamps_close(struct stamps *s);

/* Stamps the event with this seq. Ignores events beyond STAMPS_MAX. */
void stamps_note(struct stamps *s, uint64_t seq);

#endif
