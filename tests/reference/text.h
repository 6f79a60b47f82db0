/* text.h: an item of a tree as AT Protocol JSON: as text, and as a tree of jansson's. See reference.h. */
#ifndef FIREHOSED_TESTS_TEXT_H
#define FIREHOSED_TESTS_TEXT_H

#include <cbor.h>
#include <jansson.h>
#include <stdio.h>

/* Base32 of a CID, "b…", in a static buffer. */
const char *cid_text(const uint8_t *cid);

void text_write_string(FILE *out, const void *text, size_t len);
void text_write(FILE *out, const cbor_item_t *item);

/* NULL: jansson has no place for it. */
json_t *json_from_item(const cbor_item_t *item);

#endif
