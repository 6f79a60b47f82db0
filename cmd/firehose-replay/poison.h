/* poison.h: makes a good frame undecodable, as hosts of the real network have done. */
#ifndef FIREHOSE_REPLAY_POISON_H
#define FIREHOSE_REPLAY_POISON_H

#include "base/buffer.h"
#include "dice.h"

/* Spoils a whole frame in place; the frame may grow. Some ways leave its seq readable, others do not. Returns the name
 * of the way, or NULL if memory is short. */
const char *poison_frame(struct buffer *frame, struct dice *d);

#endif
