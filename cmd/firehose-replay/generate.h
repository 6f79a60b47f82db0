/* generate.h: frames like those of the real network, from a seed: the same seed makes the same bytes.
 *
 *     repo_model     who writes, when, after what
 *     post_text, record_make, post_make    what is written
 *     tree_make, car_write, commit_make    the blocks and frames around it
 *     poison         what arrives broken
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
    uint64_t poison_every; /* 0: no frame is spoiled */
};
#define GENERATOR_DEFAULTS {.seed = 1, .first_seq = 31000000001u, .dids = 1000}

struct generator;

/* NULL: no memory. */
struct generator *generator_new(const struct generator_options *options);
void generator_free(struct generator *g);

/* Writes the next frame over what is in the buffer. A frame whose seq cannot be read (see poison.h) takes none: the
 * next one gets it. frame->failed: no memory. */
void generator_next(struct generator *g, struct buffer *frame);

/* Appends a whole capture of `count` frames. False: no memory. */
bool generator_capture(const struct generator_options *options, uint64_t count, struct buffer *capture);

#endif
