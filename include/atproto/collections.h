/* collections.h: lists of patterns, from the configuration, that say which collections are wanted.
 *
 * A pattern is an NSID ("app.bsky.feed.post"), or the start of one with ".*" at the end ("app.bsky.feed.*" matches all
 * below it, but not "app.bsky.feed"), or "*", which matches all (atproto.com/specs/nsid). */
#ifndef FIREHOSED_ATPROTO_COLLECTIONS_H
#define FIREHOSED_ATPROTO_COLLECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { COLLECTION_PATTERN_BYTES = 317 /* an NSID's limit */ };

struct collections;

/* Reads a list of patterns, separated by commas or white space. An empty list matches nothing. Returns NULL and fills
 * *why if a pattern is wrong or memory is short. Free with collections_free(). */
struct collections *collections_new(const char *list, struct error *why);
void collections_free(struct collections *c); /* NULL is fine */

bool collections_are_empty(const struct collections *c);

/* Returns true if the collection of an op's path ("<collection>/<rkey>") matches one of the patterns. Costs at most one
 * comparison a pattern, and allocates nothing. */
bool collections_match(const struct collections *c, const uint8_t *path, size_t len);

/* An encoder delivers the collections in `wanted` (all if it is empty) that are not in `unwanted`. Both lists stay the
 * caller's. */
struct collection_filter {
    const struct collections *wanted, *unwanted;
};

static inline bool collection_passes(const struct collection_filter *f, const uint8_t *path, size_t len)
{
    return (collections_are_empty(f->wanted) || collections_match(f->wanted, path, len)) &&
           !collections_match(f->unwanted, path, len);
}

#endif
