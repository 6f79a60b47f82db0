/* car_write.h: collects blocks with their CIDs and writes a CAR v1 of them (ipld.io/specs/transport/car/carv1). */
#ifndef FIREHOSE_REPLAY_CAR_WRITE_H
#define FIREHOSE_REPLAY_CAR_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "base/buffer.h"
#include "base/sha256.h"

struct car_writer {
    struct sha256 *sha;
    struct buffer sections;
};

/* Returns false if memory is short, or if OpenSSL has no SHA-256. */
bool car_writer_init(struct car_writer *w);
void car_writer_fini(struct car_writer *w);

/* Drops the blocks, for the next CAR. */
void car_writer_clear(struct car_writer *w);

/* Adds a block and computes its CID (dag-cbor). */
void car_writer_add(struct car_writer *w, const struct buffer *block, uint8_t cid[CID_BYTES]);

/* Appends the CAR with this root, as a byte string of DAG-CBOR. */
void car_writer_append(const struct car_writer *w, const uint8_t root[CID_BYTES], struct buffer *out);

#endif
