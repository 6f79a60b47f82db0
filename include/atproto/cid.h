/* cid.h: content identifiers as AT Protocol uses them: version 1, codec dag-cbor or raw, SHA-256
 * (github.com/multiformats/cid). Binary form: 0x01 codec 0x12 0x20 digest[32]. */
#ifndef FIREHOSED_ATPROTO_CID_H
#define FIREHOSED_ATPROTO_CID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum {
    CID_BYTES = 36,
    CID_DIGEST_OFFSET = 4,
    CID_DIGEST_BYTES = 32,
    CID_TEXT_BYTES = 59, /* 'b' and 58 base32 digits, no terminator */
    CID_CODEC_DAG_CBOR = 0x71,
    CID_CODEC_RAW = 0x55,
};

/* Returns true if the bytes are exactly one such CID. */
bool cid_valid(const uint8_t *bytes, size_t len);

/* Writes the text form ("bafy…", CID_TEXT_BYTES, no terminator) of a valid binary CID. */
void cid_to_text(const uint8_t cid[CID_BYTES], char text[CID_TEXT_BYTES]);

/* Appends the text form. If memory is short, sets b->failed. */
void cid_append_text(struct buffer *b, const uint8_t cid[CID_BYTES]);

#endif
