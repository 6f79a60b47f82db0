/* commit_make.h: makes #commit and #sync frames with real CIDs, a CAR of about ten blocks, and the size of real
 * frames. */
#ifndef FIREHOSE_REPLAY_COMMIT_MAKE_H
#define FIREHOSE_REPLAY_COMMIT_MAKE_H

#include "car_write.h"
#include "record_make.h"
#include "repo_model.h"

struct commit_maker {
    struct repo_model *model;
    struct record_maker records;
    struct car_writer car;
    struct buffer block; /* scratch */
};

/* Returns false if memory is short. The model stays the caller's. */
bool commit_maker_init(struct commit_maker *c, struct repo_model *model);
void commit_maker_fini(struct commit_maker *c);

/* Appends a #commit frame: a repository creates, updates or deletes records. */
void commit_append(struct commit_maker *c, uint64_t seq, struct buffer *out);

/* Appends a #sync frame: a repository announces its state. */
void sync_append(struct commit_maker *c, uint64_t seq, struct buffer *out);

/* Appends the header of a frame. */
void frame_header_append(const char *t, struct buffer *out);

#endif
