/* cbor.h: reads DAG-CBOR token by token.
 *
 * The reader is strict (ipld.io/specs/codecs/dag-cbor): definite lengths, integers and lengths in their shortest form,
 * valid UTF-8 in text, tag 42 alone, no simple values but false, true and null, no floats (the AT Protocol data model
 * has none). cbor_next_key() and cbor_skip() check the order of map keys. tests/unit/atproto compares it with libcbor.
 *
 * Functions that return bool return false at the end of the bytes or if a rule is broken; r->violation then has the
 * rule, and the reader stands at the offending byte. */
#ifndef FIREHOSED_ATPROTO_CBOR_H
#define FIREHOSED_ATPROTO_CBOR_H

#include <string.h>

#include "atproto/cbor_reader.h"

/* The deepest nesting of arrays and maps that is accepted. It counts from the item that is read or skipped as a whole
 * (a record, a field of the envelope). The format has no limit; peers stop at 32 to 256. */
enum { CBOR_MAX_DEPTH = 128 };
#define CBOR_RULE_TOO_DEEP "arrays and maps are nested too deeply"

/* Reads one token and moves behind it. A text, byte string or link is whole. */
bool cbor_next(struct cbor_reader *r, struct cbor_token *t);

/* Skips one whole item and checks all rules in it. Works without recursion, however deep the item is nested. */
bool cbor_skip(struct cbor_reader *r);

/* Reads one token of the given kind, or fails with `rule`. */
bool cbor_expect(struct cbor_reader *r, enum cbor_kind kind, struct cbor_token *t, const char *rule);

/* Returns true if `key` may follow `previous` in a map: a shorter key comes first, then bytewise order; equal keys may
 * not follow each other. */
bool cbor_key_follows(const struct cbor_token *previous, const struct cbor_token *key);

/* Returns true if a key or text equals the literal. Inline, so that the compiler knows the literal's length. */
static inline bool cbor_text_is(const struct cbor_token *t, const char *literal)
{
    size_t len = strlen(literal);
    return t->len == len && memcmp(t->data, literal, len) == 0;
}

/* Reads a map's next key: a text that may follow `previous`. Any key may follow NULL. */
bool cbor_next_key(struct cbor_reader *r, const struct cbor_token *previous, struct cbor_token *key);

#endif
