/* blocks.h: a CAR taken apart in the plainest way. See reference.h. */
#ifndef FIREHOSED_TESTS_BLOCKS_H
#define FIREHOSED_TESTS_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it a CAR v1, as a firehose may bring one? */
bool blocks_are_car(const uint8_t *car, size_t len);

/* The data of the first block with this CID (36 bytes) in a valid CAR, or NULL. */
const uint8_t *blocks_find(const uint8_t *car, size_t len, const uint8_t *cid, size_t *block_len);

#endif
