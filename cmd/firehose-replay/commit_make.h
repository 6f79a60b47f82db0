/* commit_make.h: #commit and #sync frames with real CIDs, a CAR of about ten blocks, and the size of real ones. */
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

bool commit_maker_init(struct commit_maker *c, struct repo_model *model);
void commit_maker_fini(struct commit_maker *c);

/* Appends a whole frame: somebody creates, updates or deletes records. */
void commit_append(struct commit_maker *c, uint64_t seq, struct buffer *out);

/* Appends a whole frame: a repository says where it stands. */
void sync_append(struct commit_maker *c, uint64_t seq, struct buffer *out);

/* Appends a frame's header. */
void frame_header_append(const char *t, struct buffer *out);

#endif
