/* wire.h: writes DAG-CBOR, CIDs, CARs and frames for the unit tests of the atproto room. The test chooses the order of
 * keys, canonical or not. */
#ifndef FIREHOSED_TESTS_WIRE_H
#define FIREHOSED_TESTS_WIRE_H

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/cid.h"
#include "base/buffer.h"

enum { MAJOR_UNSIGNED, MAJOR_NEGATIVE, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG };

static inline void put_head(struct buffer *b, unsigned major, uint64_t value)
{
    unsigned width = value < 24            ? 0
                     : value <= UINT8_MAX  ? 1
                     : value <= UINT16_MAX ? 2
                     : value <= UINT32_MAX ? 4
                                           : 8;
    unsigned info = width == 0 ? (unsigned)value : width == 1 ? 24 : width == 2 ? 25 : width == 4 ? 26 : 27;
    buffer_append_byte(b, (uint8_t)(major << 5 | info));
    while (width-- > 0)
        buffer_append_byte(b, (uint8_t)(value >> (8 * width)));
}

static inline void put_uint(struct buffer *b, uint64_t value)
{
    put_head(b, MAJOR_UNSIGNED, value);
}
static inline void put_array(struct buffer *b, uint64_t items)
{
    put_head(b, MAJOR_ARRAY, items);
}
static inline void put_map(struct buffer *b, uint64_t pairs)
{
    put_head(b, MAJOR_MAP, pairs);
}
static inline void put_null(struct buffer *b)
{
    buffer_append_byte(b, 0xf6);
}
static inline void put_bool(struct buffer *b, bool value)
{
    buffer_append_byte(b, value ? 0xf5 : 0xf4);
}

static inline void put_bytes(struct buffer *b, const void *bytes, size_t len)
{
    put_head(b, MAJOR_BYTES, len);
    buffer_append(b, bytes, len);
}

static inline void put_text(struct buffer *b, const char *text)
{
    put_head(b, MAJOR_TEXT, strlen(text));
    buffer_append_text(b, text);
}

static inline void put_link(struct buffer *b, const uint8_t *cid)
{
    put_head(b, MAJOR_TAG, 42);
    put_head(b, MAJOR_BYTES, CID_BYTES + 1);
    buffer_append_byte(b, 0);
    buffer_append(b, cid, CID_BYTES);
}

static inline void put_text_field(struct buffer *b, const char *key, const char *value)
{
    put_text(b, key);
    put_text(b, value);
}

/* Makes the right CID of a block. */
static inline void make_cid(uint8_t cid[CID_BYTES], const void *block, size_t len)
{
    static const uint8_t prefix[CID_DIGEST_OFFSET] = {1, CID_CODEC_DAG_CBOR, 0x12, 32};
    memcpy(cid, prefix, sizeof prefix);
    if (EVP_Digest(block, len, cid + CID_DIGEST_OFFSET, NULL, EVP_sha256(), NULL) != 1)
        abort();
}

static inline void put_varint(struct buffer *b, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buffer_append_byte(b, (uint8_t)(value | 0x80));
    buffer_append_byte(b, (uint8_t)value);
}

static inline void put_section(struct buffer *b, const void *bytes, size_t len)
{
    put_varint(b, len);
    buffer_append(b, bytes, len);
}

static inline void put_car_header(struct buffer *b, const uint8_t *root)
{
    struct buffer header;
    buffer_init(&header);
    put_map(&header, 2);
    put_text(&header, "roots");
    put_array(&header, 1);
    put_link(&header, root);
    put_text(&header, "version");
    put_uint(&header, 1);
    put_section(b, header.data, header.len);
    buffer_fini(&header);
}

static inline void put_car_block(struct buffer *b, const uint8_t *cid, const void *data, size_t len)
{
    put_varint(b, CID_BYTES + len);
    buffer_append(b, cid, CID_BYTES);
    buffer_append(b, data, len);
}

static inline void put_header(struct buffer *b, const char *t)
{
    put_map(b, 2);
    put_text_field(b, "t", t);
    put_text(b, "op");
    put_uint(b, 1);
}

/* Copies into memory of exactly this size, so that valgrind and the sanitizers find a read of one byte too far. */
static inline uint8_t *exact_copy(const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL)
        abort();
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

#endif
