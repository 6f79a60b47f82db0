/* car.h: an index over a CAR v1 in memory (ipld.io/specs/transport/car/carv1). Blocks stay in place; the index points
 * to them. Blocks may come in any order. Of two blocks with the same CID, the first one counts. */
#ifndef FIREHOSED_ATPROTO_CAR_H
#define FIREHOSED_ATPROTO_CAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cbor.h"

struct car_block {
    const uint8_t *cid; /* CID_BYTES */
    const uint8_t *data;
    size_t len;
};

/* Zero-initialise, and use again for the next frame: the memory grows to the largest CAR, bounded by the frame
 * limit. */
struct car_index {
    struct car_block *blocks;
    size_t count;
    size_t cap;
    uint32_t *table;   /* open addressing over blocks, 0 = empty; made only for many blocks */
    size_t table_size; /* slots in use, a power of two; 0: there is no table */
    size_t table_cap;
    const uint8_t *root; /* the first root, CID_BYTES, or NULL */
    bool no_memory;      /* the last CAR was not read to its end for this reason: it may be a good one */
};

void car_index_fini(struct car_index *index);

/* Empties the index, for a CAR that is absent, and keeps the memory. */
void car_index_clear(struct car_index *index);

/* Indexes the CAR from r->at to r->end. Does not decode or hash the blocks. Returns false if the bytes are not a CAR,
 * or with the rule "out of memory" and index->no_memory; see r->violation. */
bool car_index_read(struct car_index *index, struct cbor_reader *r);

/* Returns the block with this CID (CID_BYTES), or NULL. */
const struct car_block *car_index_find(const struct car_index *index, const uint8_t *cid);

#endif
