/* cbor.h: DAG-CBOR, token by token, over bytes that strangers wrote.
 *
 * The atproto room: pure functions on bytes. What it knows: DAG-CBOR, CID, CAR v1, the firehose's frames and
 * the JSON that consumers read. What it must not know: files, sockets, clocks, logs, Redis, processes.
 * Everything works in place: tokens, CIDs and blocks point into the caller's bytes and live as long as they.
 *
 * This reader is strict (PROTOCOL.md "DAG-CBOR"; ipld.io/specs/codecs/dag-cbor): definite lengths,
 * minimal-length integers and lengths, valid UTF-8 in text, tag 42 alone, no undefined, no simple values but
 * false, true and null, no floats (the AT data model has none). The order of map keys is checked by who walks
 * a map (cbor_next_key, cbor_skip). tests/unit/atproto holds it against libcbor. */
#ifndef FIREHOSED_ATPROTO_CBOR_H
#define FIREHOSED_ATPROTO_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Deepest nesting of arrays and maps that is accepted, counted from the item that is read or skipped as a whole
 * (a record, a field of the envelope). The format has no limit; peers stop at 32 to 256. */
enum { CBOR_MAX_DEPTH = 128 };
#define CBOR_RULE_TOO_DEEP "arrays and maps are nested too deeply"

enum cbor_kind {
    CBOR_UNSIGNED, /* value */
    CBOR_NEGATIVE, /* the number is -1 - value; value <= INT64_MAX */
    CBOR_BYTES,    /* data, len (and value == len) */
    CBOR_TEXT,     /* data, len (and value == len): valid UTF-8 */
    CBOR_ARRAY,    /* value: number of items that follow */
    CBOR_MAP,      /* value: number of key-value pairs that follow */
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

/* Which rule was broken, and where. `rule` is a literal ("integer not in its shortest form"); `offset`
 * counts from the first byte of the frame, or of the item where there is no frame. */
struct violation {
    const char *rule;
    size_t offset;
};

struct cbor_reader {
    const uint8_t *start; /* offsets are told from here */
    const uint8_t *at;
    const uint8_t *end;
    struct violation violation; /* set when a call returned false */
};

void cbor_reader_init(struct cbor_reader *r, const uint8_t *bytes, size_t len);

/* Reads one token and moves on. A text, byte string or link is whole. False: end of bytes or a broken rule,
 * see r->violation; the reader stays at the offending byte. */
bool cbor_next(struct cbor_reader *r, struct cbor_token *t);

/* Skips one whole item, however nested, without recursion; checks the same rules as reading would. */
bool cbor_skip(struct cbor_reader *r);

/* Helpers for walking a known structure: read one token of the given kind or fail with `rule`. */
bool cbor_expect(struct cbor_reader *r, enum cbor_kind kind, struct cbor_token *t, const char *rule);

/* Records a violation at the reader's position. */
void cbor_note(struct cbor_reader *r, const char *rule);

/* The same, for `return cbor_fail(...)`: false. Inline, so that who checks or compiles a caller knows it is false. */
static inline bool cbor_fail(struct cbor_reader *r, const char *rule)
{
    cbor_note(r, rule);
    return false;
}

/* True if `key` may follow `previous` in a map: shorter first, then bytewise; equal keys may not. */
bool cbor_key_follows(const struct cbor_token *previous, const struct cbor_token *key);

/* A key or text, compared with a literal. Inline, so that the literal's length is known when it is compiled. */
static inline bool cbor_text_is(const struct cbor_token *t, const char *literal)
{
    size_t len = strlen(literal);
    return t->len == len && memcmp(t->data, literal, len) == 0;
}

/* Reads a map's next key: a text that follows `previous` (NULL: it is the first, any will do). */
bool cbor_next_key(struct cbor_reader *r, const struct cbor_token *previous, struct cbor_token *key);

#endif
