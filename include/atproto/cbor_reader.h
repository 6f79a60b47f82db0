/* cbor_reader.h: a position in DAG-CBOR that strangers wrote, the token that was read there, and the rule that was
 * broken.
 *
 * The atproto room: pure functions on bytes. It knows DAG-CBOR, CID, CAR v1, the firehose's frames and the JSON that
 * consumers read. It must not know files, sockets, clocks, logs, Redis or processes. Everything works in place: tokens,
 * CIDs and blocks point into the caller's bytes and are valid as long as those. */
#ifndef FIREHOSED_ATPROTO_CBOR_READER_H
#define FIREHOSED_ATPROTO_CBOR_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The upper three bits of an item's first byte (RFC 8949 §3.1). */
enum cbor_major {
    CBOR_MAJOR_UNSIGNED,
    CBOR_MAJOR_NEGATIVE,
    CBOR_MAJOR_BYTES,
    CBOR_MAJOR_TEXT,
    CBOR_MAJOR_ARRAY,
    CBOR_MAJOR_MAP,
    CBOR_MAJOR_TAG,
    CBOR_MAJOR_SIMPLE,
};

enum cbor_kind {
    CBOR_UNSIGNED, /* value */
    CBOR_NEGATIVE, /* the number is -1 - value; value <= INT64_MAX */
    CBOR_BYTES,    /* data, len (and value == len) */
    CBOR_TEXT,     /* data, len (and value == len): valid UTF-8 */
    CBOR_ARRAY,    /* value: the number of items that follow */
    CBOR_MAP,      /* value: the number of key-value pairs that follow */
    CBOR_LINK,     /* data, len: the binary CID, without the leading 0x00 of tag 42 */
    CBOR_BOOL,     /* value: 0 or 1 */
    CBOR_NULL,
};

struct cbor_token {
    enum cbor_kind kind;
    uint64_t value;
    const uint8_t *data;
    size_t len;
};

/* A broken rule and its place. `rule` is a literal ("integer not in its shortest form"). `offset` counts from the first
 * byte of the frame, or of the item if there is no frame. */
struct violation {
    const char *rule;
    size_t offset;
};

struct cbor_reader {
    const uint8_t *start; /* offsets count from here */
    const uint8_t *at;
    const uint8_t *end;
    struct violation violation; /* valid after a call returned false */
};

void cbor_reader_init(struct cbor_reader *r, const uint8_t *bytes, size_t len);

/* Records a violation at the reader's position. */
void cbor_note(struct cbor_reader *r, const char *rule);

/* Records a violation and returns false, for `return cbor_fail(...)`. Inline, so that the compiler and the checkers see
 * the constant result. */
static inline bool cbor_fail(struct cbor_reader *r, const char *rule)
{
    cbor_note(r, rule);
    return false;
}

#endif
