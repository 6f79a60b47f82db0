/* record_make.h: records of the collections that the network is made of, as DAG-CBOR.
 *
 * Keys stand in canonical order in the source. Shapes follow the lexicons (app.bsky.*, and some of others, which
 * a relay passes on as well). */
#ifndef FIREHOSE_REPLAY_RECORD_MAKE_H
#define FIREHOSE_REPLAY_RECORD_MAKE_H

#include "base/buffer.h"
#include "post_text.h"
#include "repo_model.h"

struct record_maker {
    struct repo_model *model;
    struct post_text text; /* scratch */
    struct buffer words;   /* scratch */
};

void record_maker_init(struct record_maker *r, struct repo_model *model);
void record_maker_fini(struct record_maker *r);

/* A collection, as often as the network sees it: likes 70 %, posts 12 %, reposts 10 %, follows 6 %. */
const char *collection_pick(struct dice *d);

/* Appends a new record of that collection. */
void record_append(struct record_maker *r, const char *collection, struct buffer *out);

/* app.bsky.feed.post, in post_make.c. */
void post_append(struct record_maker *r, struct buffer *out);

/* Parts that several records have. */
void created_at_append(struct record_maker *r, struct buffer *out);  /* key and value */
void strong_ref_append(struct record_maker *r, const char *collection, struct buffer *out);
void blob_append(struct record_maker *r, const char *mime_type, struct buffer *out);
void words_pair_append(struct record_maker *r, const char *key, unsigned words, struct buffer *out);

#endif
