/* cbor_token.h: reads one token, without a check of its text. The code that copies a text checks it in the same
 * pass. */
#ifndef FIREHOSED_ATPROTO_CBOR_TOKEN_H
#define FIREHOSED_ATPROTO_CBOR_TOKEN_H

#include "atproto/cbor_reader.h"

/* The lower five bits of an item's first byte (RFC 8949 §3). */
enum info {
    INFO_MAX_VALUE = 23,  /* up to here the bits are the value itself */
    INFO_MAX_LENGTH = 27, /* 24, 25, 26, 27: a value of 1, 2, 4, 8 bytes follows */
    INFO_INDEFINITE = 31,
};

/* cbor_next_unchecked() without its fast way: takes or refuses any token. */
bool cbor_next_slowly(struct cbor_reader *r, struct cbor_token *t);

/* Records that a text is not valid UTF-8 at `bad`. Returns false. */
bool cbor_fail_text(struct cbor_reader *r, const uint8_t *bad);

static inline bool cbor_take(struct cbor_reader *r, struct cbor_token *t, enum cbor_kind kind, uint64_t value,
                             const uint8_t *data, size_t len, const uint8_t *end)
{
    *t = (struct cbor_token){.kind = kind, .value = value, .data = data, .len = len};
    r->at = end;
    return true;
}

/* cbor_next() without a check of UTF-8: the caller checks a text and calls cbor_fail_text() if it is not valid.
 *
 * The inline part takes nine of ten tokens: those whose first byte holds the value or the length, and text of up to 255
 * bytes. cbor_next_slowly() takes the others. */
static inline bool cbor_next_unchecked(struct cbor_reader *r, struct cbor_token *t)
{
    const uint8_t *at = r->at;
    if (at == r->end)
        return cbor_next_slowly(r, t);
    unsigned value = *at & 31;
    size_t left = (size_t)(r->end - at) - 1;
    if (value <= INFO_MAX_VALUE) {
        switch (*at >> 5) {
        case CBOR_MAJOR_TEXT:
            if (value <= left)
                return cbor_take(r, t, CBOR_TEXT, value, at + 1, value, at + 1 + value);
            break;
        case CBOR_MAJOR_UNSIGNED:
            return cbor_take(r, t, CBOR_UNSIGNED, value, NULL, 0, at + 1);
        case CBOR_MAJOR_ARRAY:
            if (value <= left)
                return cbor_take(r, t, CBOR_ARRAY, value, NULL, 0, at + 1);
            break;
        case CBOR_MAJOR_MAP:
            if (value <= left / 2)
                return cbor_take(r, t, CBOR_MAP, value, NULL, 0, at + 1);
            break;
        default:
            break;
        }
    } else if (*at == (CBOR_MAJOR_TEXT << 5 | 24) && left > 0) {
        size_t len = at[1];
        if (len > INFO_MAX_VALUE && len <= left - 1)
            return cbor_take(r, t, CBOR_TEXT, len, at + 2, len, at + 2 + len);
    }
    return cbor_next_slowly(r, t);
}

#endif
