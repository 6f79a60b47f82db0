/* cbor_reference.h: what cbor_next() must be equal to, to the last offset. */
#ifndef FIREHOSED_TESTS_CBOR_REFERENCE_H
#define FIREHOSED_TESTS_CBOR_REFERENCE_H

#include "atproto/cbor.h"

/* As cbor_next(): same tokens, same rules, same places. libcbor takes the bytes apart. */
bool reference_next(struct cbor_reader *r, struct cbor_token *t);

#endif
