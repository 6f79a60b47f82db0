/* ingest.h: a message of the relay, from a peek at it to its place in the ring. */
#ifndef FIREHOSED_MASTER_INGEST_H
#define FIREHOSED_MASTER_INGEST_H

#include <stddef.h>
#include <stdint.h>

#include "relay/relay.h"

struct master;

/* Takes the message at window[offset..offset+len) of the ledger: decides (sequence.h), and carries the decision out.
 * RELAY_STOP in the answer means that the relay's sequence is another one: the caller begins the reset. */
struct relay_answer ingest_take(struct master *m, const uint8_t *frame, size_t offset, size_t len, size_t consumed);

/* Forgets the frame that is held, if one is: the relay will be asked for it again. */
void ingest_drop_held(struct master *m);

/* The times of the next filtered event and of the next one for a worker are wanted: to be called once a second. */
void ingest_want_time(struct master *m);

/* Returns the time of the newest event that is committed, in microseconds since 1970, as the relay says it and never in
 * the future: a few events may be newer. Returns 0 if it is not known. No worker's report is in it. */
int64_t ingest_newest_us(struct master *m);

/* Empties the ring: what it had is read again. */
void ingest_discard(struct master *m);

#endif
