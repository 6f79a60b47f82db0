/* post_make.h: app.bsky.feed.post, with facets, embeds and replies. */
#ifndef FIREHOSE_REPLAY_POST_MAKE_H
#define FIREHOSE_REPLAY_POST_MAKE_H

#include "record_parts.h"

/* Appends a new post. */
void post_append(struct record_maker *r, struct buffer *out);

#endif
