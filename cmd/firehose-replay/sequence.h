/* sequence.h: what a served relay has to say: a capture's frames, each with the number that is its turn.
 *
 * A position counts frames from the first one on, through all rounds of a capture that is repeated. Frames
 * that have a seq are templates: the number in them is moved so that the first is first_seq, and those of
 * each further round follow the last of the round before. Gaps in a capture's numbers stay. Frames without a
 * seq (#info, errors, what cannot be decoded) go out as they are and take no number. */
#ifndef FIREHOSE_REPLAY_SEQUENCE_H
#define FIREHOSE_REPLAY_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "capture.h"

#define SEQUENCE_ENDLESS UINT64_MAX

struct sequence {
    struct template *templates;
    size_t count;
    uint32_t *numbered; /* indices of the templates that have a seq */
    size_t numbered_count;
    uint64_t span; /* how far the numbers of the next round are above those of this */
    uint64_t first_seq;
    uint64_t end; /* one past the last position, or SEQUENCE_ENDLESS */
};

struct sequence_options {
    bool has_first_seq; /* else that of the capture's first frame that has one */
    uint64_t first_seq;
    bool is_repeated;
    uint64_t max_events; /* 0: no limit */
};

/* Frames point into the capture, which must outlive the sequence. */
bool sequence_init(struct sequence *s, const struct capture *capture, const struct sequence_options *options,
                   struct error *why);
void sequence_fini(struct sequence *s);

/* The position of the first event whose seq is not below this one; `end` if there is none. */
uint64_t sequence_position(const struct sequence *s, uint64_t seq);

/* The seq that the next numbered event at or behind a position has. */
uint64_t sequence_seq_at(const struct sequence *s, uint64_t position);

/* Appends the frame at a position as a binary WebSocket message; `fragment`: in two, the last of them empty.
 */
void sequence_append(const struct sequence *s, uint64_t position, bool fragment, struct buffer *out);

#endif
