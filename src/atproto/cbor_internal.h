/* cbor_internal.h: the token reader's fast way, and tokens whose text is looked at by who copies it, so that it is
 * looked at once. */
#ifndef FIREHOSED_ATPROTO_CBOR_INTERNAL_H
#define FIREHOSED_ATPROTO_CBOR_INTERNAL_H

#include "atproto/cbor.h"

/* The upper three bits of an item's first byte (RFC 8949 §3.1). */
enum major {
    MAJOR_UNSIGNED,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_TAG,
    MAJOR_SIMPLE,
};

/* The lower five. */
enum info {
    INFO_MAX_VALUE = 23,  /* up to here it is the value itself */
    INFO_MAX_LENGTH = 27, /* 24, 25, 26, 27: a value of 1, 2, 4, 8 bytes follows */
    INFO_INDEFINITE = 31,
};

/* Any token, whatever is wrong with it: cbor_next_unchecked() without its fast way. */
bool cbor_next_slowly(struct cbor_reader *r, struct cbor_token *t);

/* The text that was read is no UTF-8 from `bad` on; returns false. */
bool cbor_fail_text(struct cbor_reader *r, const uint8_t *bad);

static inline bool cbor_take(struct cbor_reader *r, struct cbor_token *t, enum cbor_kind kind, uint64_t value,
                             const uint8_t *data, size_t len, const uint8_t *end)
{
    *t = (struct cbor_token){.kind = kind, .value = value, .data = data, .len = len};
    r->at = end;
    return true;
}

/* cbor_next(), but a text may not be UTF-8: the caller checks it, and fails with cbor_fail_text() if it is not.
 *
 * Inline is what nine tokens of ten are: one byte that holds the value or the length, and text of up to 255 bytes. What
 * is not taken here is taken, or refused, by the other. */
static inline bool cbor_next_unchecked(struct cbor_reader *r, struct cbor_token *t)
{
    const uint8_t *at = r->at;
    if (at == r->end)
        return cbor_next_slowly(r, t);
    unsigned value = *at & 31;
    size_t left = (size_t)(r->end - at) - 1;
    if (value <= INFO_MAX_VALUE) {
        switch (*at >> 5) {
        case MAJOR_TEXT:
            if (value <= left)
                return cbor_take(r, t, CBOR_TEXT, value, at + 1, value, at + 1 + value);
            break;
        case MAJOR_UNSIGNED:
            return cbor_take(r, t, CBOR_UNSIGNED, value, NULL, 0, at + 1);
        case MAJOR_ARRAY:
            if (value <= left)
                return cbor_take(r, t, CBOR_ARRAY, value, NULL, 0, at + 1);
            break;
        case MAJOR_MAP:
            if (value <= left / 2)
                return cbor_take(r, t, CBOR_MAP, value, NULL, 0, at + 1);
            break;
        default:
            break;
        }
    } else if (*at == (MAJOR_TEXT << 5 | 24) && left > 0) {
        size_t len = at[1];
        if (len > INFO_MAX_VALUE && len <= left - 1)
            return cbor_take(r, t, CBOR_TEXT, len, at + 2, len, at + 2 + len);
    }
    return cbor_next_slowly(r, t);
}

#endif
