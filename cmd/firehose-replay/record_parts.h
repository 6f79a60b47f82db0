/* record_parts.h: the parts that several records have: times, references, blobs, words. */
#ifndef FIREHOSE_REPLAY_RECORD_PARTS_H
#define FIREHOSE_REPLAY_RECORD_PARTS_H

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

/* Appends the key "createdAt" and its value. */
void created_at_append(struct record_maker *r, struct buffer *out);

/* Appends a value: a reference to a record of the collection, or a blob. */
void strong_ref_append(struct record_maker *r, const char *collection, struct buffer *out);
void blob_append(struct record_maker *r, const char *mime_type, struct buffer *out);

/* Appends a key and a text of that many words. */
void words_pair_append(struct record_maker *r, const char *key, unsigned words, struct buffer *out);

#endif
