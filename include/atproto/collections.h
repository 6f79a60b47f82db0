/* collections.h: which collections are wanted: lists of patterns as they stand in the configuration.
 *
 * A pattern is an NSID ("app.bsky.feed.post"), or a beginning of one that ends with ".*" ("app.bsky.feed.*":
 * all below it, not "app.bsky.feed" itself), or "*": all (atproto.com/specs/nsid). */
#ifndef FIREHOSED_ATPROTO_COLLECTIONS_H
#define FIREHOSED_ATPROTO_COLLECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { COLLECTION_PATTERN_BYTES = 317 /* an NSID's limit */ };

struct collections;

/* Reads a list of patterns, separated by commas or white space; an empty one matches nothing. NULL: *why
 * tells which pattern is wrong, or that memory is short. Free with collections_free(). */
struct collections *collections_new(const char *list, struct error *why);
void collections_free(struct collections *c); /* NULL is fine */

bool collections_are_empty(const struct collections *c);

/* True if the collection of an op's path ("<collection>/<rkey>") matches one of the patterns. Costs one
 * comparison a pattern at most; allocates nothing. */
bool collections_match(const struct collections *c, const uint8_t *path, size_t len);

/* What an encoder lets through: `wanted` (all where it is empty), but not `unwanted`. Both stay the caller's.
 */
struct collection_filter {
    const struct collections *wanted, *unwanted;
};

static inline bool collection_passes(const struct collection_filter *f, const uint8_t *path, size_t len)
{
    return (collections_are_empty(f->wanted) || collections_match(f->wanted, path, len)) &&
           !collections_match(f->unwanted, path, len);
}

#endif
