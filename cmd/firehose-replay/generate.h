/* generate.h: makes frames like those of the real network from a seed; the same seed makes the same bytes.
 *
 *     repo_model                           the accounts, and the order of their events
 *     post_text, record_parts, post_make, record_make    the records
 *     tree_make, car_write, commit_make    the blocks and frames around them
 *     poison                               broken frames
 */
#ifndef FIREHOSE_REPLAY_GENERATE_H
#define FIREHOSE_REPLAY_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct generator_options {
    uint64_t seed;
    uint64_t first_seq;
    uint64_t dids;         /* repositories */
    uint64_t poison_every; /* spoil every N-th frame; 0: none */
};
#define GENERATOR_DEFAULTS {.seed = 1, .first_seq = 31000000001u, .dids = 1000}

struct generator;

/* Returns NULL if memory is short. */
struct generator *generator_new(const struct generator_options *options);
void generator_free(struct generator *g); /* NULL is fine */

/* Replaces the content of the buffer by the next frame. If the frame's seq is unreadable (see poison.h), the next frame
 * gets that seq. Sets frame->failed if memory is short. */
void generator_next(struct generator *g, struct buffer *frame);

/* Appends a whole capture of `count` frames. Returns false if memory is short. */
bool generator_capture(const struct generator_options *options, uint64_t count, struct buffer *capture);

#endif
