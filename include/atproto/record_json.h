/* record_json.h: writes one DAG-CBOR item as AT Protocol JSON, in one streaming pass. */
#ifndef FIREHOSED_ATPROTO_RECORD_JSON_H
#define FIREHOSED_ATPROTO_RECORD_JSON_H

#include "atproto/cbor.h"
#include "base/buffer.h"

/* Appends the item at `r` to `out` and moves `r` behind it. Checks map order, depth and CIDs. *has_type (may be NULL)
 * tells whether the item is a map with a "$type" that is a non-empty text. Returns false and appends nothing if a rule
 * is broken; r->violation then has the rule. */
bool record_append_json(struct cbor_reader *r, struct buffer *out, bool *has_type);

#endif
