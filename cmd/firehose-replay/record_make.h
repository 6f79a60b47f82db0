/* record_make.h: records of the collections that are on the network, as DAG-CBOR.
 *
 * The source has the keys in canonical order. Shapes follow the lexicons: app.bsky.*, and some others, which a relay
 * passes on as well. */
#ifndef FIREHOSE_REPLAY_RECORD_MAKE_H
#define FIREHOSE_REPLAY_RECORD_MAKE_H

#include "record_parts.h"

/* Picks a collection, as often as the network has it: likes 70 %, posts 12 %, reposts 10 %, follows 6 %. */
const char *collection_pick(struct dice *d);

/* Appends a new record of that collection. */
void record_append(struct record_maker *r, const char *collection, struct buffer *out);

#endif
