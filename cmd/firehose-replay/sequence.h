/* sequence.h: the frames that a served relay sends: those of a capture, with new sequence numbers.
 *
 * A position counts frames from the first one, through all rounds of a repeated capture. A frame with a seq is a
 * template: its seq is replaced, so that the first frame has first_seq, and each round continues the numbers of the
 * round before. Gaps in the capture's numbers stay. Frames without a seq (#info, errors, undecodable frames) are sent
 * unchanged and take no number. */
#ifndef FIREHOSE_REPLAY_SEQUENCE_H
#define FIREHOSE_REPLAY_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/optional.h"
#include "capture.h"

#define SEQUENCE_ENDLESS UINT64_MAX

struct sequence {
    struct template *templates;
    size_t count;
    uint32_t *numbered; /* indices of the templates that have a seq */
    size_t numbered_count;
    uint64_t span; /* how far the numbers of the next round are above those of this round */
    uint64_t first_seq;
    uint64_t end; /* one past the last position, or SEQUENCE_ENDLESS */
};

struct sequence_options {
    struct optional first_seq; /* unknown: the first seq in the capture */
    bool is_repeated;
    uint64_t max_events; /* 0: no limit */
};

/* Makes a sequence. Frames point into the capture, which must outlive it. Returns false and fills *why on failure. */
bool sequence_init(struct sequence *s, const struct capture *capture, const struct sequence_options *options,
                   struct error *why);
void sequence_fini(struct sequence *s);

/* Returns the position of the first event whose seq is not below this one, or `end` if there is none. */
uint64_t sequence_position(const struct sequence *s, uint64_t seq);

/* Returns the seq of the next numbered event at or after a position. */
uint64_t sequence_seq_at(const struct sequence *s, uint64_t position);

enum { SEQUENCE_TIME_LEN = 24 /* 2026-01-02T03:04:05.678Z */ };

/* Appends the frame at a position as a binary WebSocket message. `fragment` splits it into two fragments, the second
 * one empty. `time` takes the place of the frame's time, if that has the same length and is valid; NULL: the frame
 * keeps its own. */
void sequence_append(const struct sequence *s, uint64_t position, bool fragment, const char *time, struct buffer *out);

#endif
