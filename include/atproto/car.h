/* car.h: an index over a CAR v1 that lies in memory (ipld.io/specs/transport/car/carv1). Blocks stay where
 * they are; the index only points. Order of blocks is free, duplicates are harmless (the first one counts). */
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

/* Re-used from frame to frame: memory grows to the largest CAR seen, bounded by the frame limit. Zero-initialise. */
struct car_index {
    struct car_block *blocks;
    size_t count;
    size_t cap;
    uint32_t *table;   /* open addressing over blocks, 0 = empty, made only when there are many blocks */
    size_t table_size; /* slots in use, a power of two; 0: no table, look through the blocks */
    size_t table_cap;
    const uint8_t *root; /* first root, CID_BYTES, or NULL */
};

void car_index_fini(struct car_index *index);

/* No blocks: what stands for a CAR that is absent. Keeps the memory. */
void car_index_clear(struct car_index *index);

/* Indexes the CAR in r (from r->at to r->end). False: not a CAR, see r->violation (rule
 * "out of memory" when memory is short). Nothing of the blocks is decoded or hashed. */
bool car_index_read(struct car_index *index, struct cbor_reader *r);

/* The block with this CID, or NULL. */
const struct car_block *car_index_find(const struct car_index *index, const uint8_t *cid);

#endif
