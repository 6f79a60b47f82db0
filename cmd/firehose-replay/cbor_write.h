/* cbor_write.h: writes DAG-CBOR into a buffer, in the strict form that src/atproto/cbor.c reads.
 *
 * Heads always have their shortest form. The caller writes the keys of a map in order: shorter first, then bytewise. */
#ifndef FIREHOSE_REPLAY_CBOR_WRITE_H
#define FIREHOSE_REPLAY_CBOR_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cbor_reader.h"
#include "atproto/cid.h"
#include "base/buffer.h"

enum { CBOR_HEAD_MAX_BYTES = 9 };

/* Encodes a head and returns its length. The head of a number is the whole item. */
size_t cbor_head(uint8_t out[CBOR_HEAD_MAX_BYTES], enum cbor_major major, uint64_t argument);

void cbor_write_head(struct buffer *b, enum cbor_major major, uint64_t argument);
void cbor_write_int(struct buffer *b, int64_t value);
void cbor_write_bool(struct buffer *b, bool value);
void cbor_write_null(struct buffer *b);
void cbor_write_map(struct buffer *b, size_t pairs);
void cbor_write_array(struct buffer *b, size_t items);
void cbor_write_bytes(struct buffer *b, const void *bytes, size_t len);
void cbor_write_text_bytes(struct buffer *b, const void *text, size_t len);
void cbor_write_text(struct buffer *b, const char *text);
void cbor_write_link(struct buffer *b, const uint8_t cid[CID_BYTES]);

/* Append a key and its value. */
void cbor_pair_text(struct buffer *b, const char *key, const char *text);
void cbor_pair_int(struct buffer *b, const char *key, int64_t value);
void cbor_pair_bool(struct buffer *b, const char *key, bool value);
void cbor_pair_link(struct buffer *b, const char *key, const uint8_t *cid); /* NULL writes null */

#endif
