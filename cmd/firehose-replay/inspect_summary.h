/* inspect_summary.h: totals of the frames of a capture. */
#ifndef FIREHOSE_REPLAY_INSPECT_SUMMARY_H
#define FIREHOSE_REPLAY_INSPECT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/event_json.h"

enum { SUMMARY_COLLECTION_BYTES = 64 };

struct collection_total {
    char name[SUMMARY_COLLECTION_BYTES]; /* a longer one is cut */
    uint64_t creates, updates, deletes;
};

struct summary {
    uint64_t frames, bytes, malformed;
    size_t min_bytes, max_bytes;
    uint64_t kinds[FRAME_KINDS];
    uint64_t dropped[OP_DROPS];
    bool has_seq;
    int64_t first_seq, last_seq;
    struct collection_total *collections;
    size_t collection_count, collection_cap;
    bool failed; /* memory was short for another collection */
};

/* Adds a frame of `len` bytes. event NULL: the frame is malformed. */
void summary_add(struct summary *s, size_t len, const struct event *event);
void summary_print(struct summary *s, bool json);
void summary_fini(struct summary *s);

#endif
