/* poison.h: makes a good frame undecodable, in the ways that hosts of the real network have found. */
#ifndef FIREHOSE_REPLAY_POISON_H
#define FIREHOSE_REPLAY_POISON_H

#include "base/buffer.h"
#include "dice.h"

/* Spoils a whole frame in place (it may grow). In some of the ways its seq can still be read, in others not.
 * Returns a word for the way, or NULL if memory is short. */
const char *poison_frame(struct buffer *frame, struct dice *d);

#endif
