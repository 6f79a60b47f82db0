/* item.h: one head of CBOR as libcbor's streaming decoder reads it, with its string if it is one. Both references for
 * cbor_next() stand on it: that of the fuzz targets (head.h), and that of the unit tests, which names the rules. */
#ifndef FIREHOSED_TESTS_ITEM_H
#define FIREHOSED_TESTS_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cbor.h"

struct item {
    struct cbor_token token;
    bool is_tag;         /* token.value is its number */
    const char *refused; /* well-formed CBOR, but not DAG-CBOR */
    size_t len;          /* of the head and the string */
};

/* The item at the start of the bytes; NULL, or the rule that it breaks. */
const char *item_read(const uint8_t *bytes, size_t len, struct item *item);

#endif
