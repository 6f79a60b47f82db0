/* tree.h: strict DAG-CBOR as a tree of libcbor's, and what is asked of such a tree. See reference.h. */
#ifndef FIREHOSED_TESTS_TREE_H
#define FIREHOSED_TESTS_TREE_H

#include <cbor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The item at the start of the bytes, *consumed bytes long; NULL: it is not strict DAG-CBOR. Freed with
 * cbor_decref(). How deeply it is nested is not checked here. */
cbor_item_t *tree_load(const uint8_t *bytes, size_t len, size_t *consumed);

/* How many arrays and maps are in one another at the deepest place; 0 for a scalar. */
size_t tree_depth(const cbor_item_t *item);

/* The value of a key, or NULL. */
const cbor_item_t *tree_get(const cbor_item_t *map, const char *key);

bool tree_is_text(const cbor_item_t *item);
bool tree_is_link(const cbor_item_t *item);
bool tree_is_null(const cbor_item_t *item);
bool tree_text_is(const cbor_item_t *item, const char *text);

/* The 36 bytes of a link's CID. */
const uint8_t *tree_cid(const cbor_item_t *link);

#endif
