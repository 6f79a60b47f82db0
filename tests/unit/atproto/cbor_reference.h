/* cbor_reference.h: a reader that cbor_next() must agree with, to the last offset. */
#ifndef FIREHOSED_TESTS_CBOR_REFERENCE_H
#define FIREHOSED_TESTS_CBOR_REFERENCE_H

#include "atproto/cbor.h"

/* Gives the same tokens, rules and offsets as cbor_next(), but libcbor decodes the bytes. */
bool reference_next(struct cbor_reader *r, struct cbor_token *t);

#endif
