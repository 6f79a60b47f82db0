/* head.h: one token of DAG-CBOR as libcbor's streaming decoder reads it, with the stricter rules checked on top. The
 * reference for cbor_next(), without a byte of memory allocated: for the fuzz targets that want to be fast. */
#ifndef FIREHOSED_TESTS_HEAD_H
#define FIREHOSED_TESTS_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cbor.h"

/* The token at the start of the bytes and how long it is; false: there is none. */
bool head_read(const uint8_t *bytes, size_t len, struct cbor_token *token, size_t *consumed);

#endif
