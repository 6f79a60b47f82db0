#include "config.h"

#include "cbor_write.h"

#include <string.h>

enum { TAG_CID = 42 };

size_t cbor_head(uint8_t out[CBOR_HEAD_MAX_BYTES], enum cbor_major major, uint64_t argument)
{
    uint8_t high = (uint8_t)(major << 5);
    if (argument < 24) {
        out[0] = (uint8_t)(high | argument);
        return 1;
    }
    /* 24 to 27: one, two, four, eight bytes follow. */
    unsigned size = argument <= UINT8_MAX ? 0 : argument <= UINT16_MAX ? 1 : argument <= UINT32_MAX ? 2 : 3;
    size_t bytes = (size_t)1 << size;
    out[0] = (uint8_t)(high | (24 + size));
    for (size_t i = 0; i < bytes; i++)
        out[1 + i] = (uint8_t)(argument >> 8 * (bytes - 1 - i));
    return 1 + bytes;
}

void cbor_write_head(struct buffer *b, enum cbor_major major, uint64_t argument)
{
    uint8_t head[CBOR_HEAD_MAX_BYTES];
    buffer_append(b, head, cbor_head(head, major, argument));
}

void cbor_write_int(struct buffer *b, int64_t value)
{
    if (value < 0)
        cbor_write_head(b, CBOR_MAJOR_NEGATIVE, (uint64_t)(-(value + 1)));
    else
        cbor_write_head(b, CBOR_MAJOR_UNSIGNED, (uint64_t)value);
}

void cbor_write_bool(struct buffer *b, bool value) { cbor_write_head(b, CBOR_MAJOR_SIMPLE, value ? 21 : 20); }

void cbor_write_null(struct buffer *b) { cbor_write_head(b, CBOR_MAJOR_SIMPLE, 22); }

void cbor_write_map(struct buffer *b, size_t pairs) { cbor_write_head(b, CBOR_MAJOR_MAP, pairs); }

void cbor_write_array(struct buffer *b, size_t items) { cbor_write_head(b, CBOR_MAJOR_ARRAY, items); }

void cbor_write_bytes(struct buffer *b, const void *bytes, size_t len)
{
    cbor_write_head(b, CBOR_MAJOR_BYTES, len);
    buffer_append(b, bytes, len);
}

void cbor_write_text_bytes(struct buffer *b, const void *text, size_t len)
{
    cbor_write_head(b, CBOR_MAJOR_TEXT, len);
    buffer_append(b, text, len);
}

void cbor_write_text(struct buffer *b, const char *text) { cbor_write_text_bytes(b, text, strlen(text)); }

void cbor_write_link(struct buffer *b, const uint8_t cid[CID_BYTES])
{
    cbor_write_head(b, CBOR_MAJOR_TAG, TAG_CID);
    cbor_write_head(b, CBOR_MAJOR_BYTES, 1 + CID_BYTES);
    buffer_append_byte(b, 0); /* multibase "identity": ipld.io/specs/codecs/dag-cbor, "Links" */
    buffer_append(b, cid, CID_BYTES);
}

void cbor_pair_text(struct buffer *b, const char *key, const char *text)
{
    cbor_write_text(b, key);
    cbor_write_text(b, text);
}

void cbor_pair_int(struct buffer *b, const char *key, int64_t value)
{
    cbor_write_text(b, key);
    cbor_write_int(b, value);
}

void cbor_pair_bool(struct buffer *b, const char *key, bool value)
{
    cbor_write_text(b, key);
    cbor_write_bool(b, value);
}

void cbor_pair_link(struct buffer *b, const char *key, const uint8_t *cid)
{
    cbor_write_text(b, key);
    if (cid != NULL)
        cbor_write_link(b, cid);
    else
        cbor_write_null(b);
}
