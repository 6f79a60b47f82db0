/* intake.h: what the master has told of and is not decoded yet: references in, frames in the ring out.
 *
 * The worker room: the process that decodes and writes. It knows the channel, the atproto room and Redis; it knows
 * nothing of the relay or of other workers, and looks at no frame after it has acked it. */
#ifndef FIREHOSED_WORKER_INTAKE_H
#define FIREHOSED_WORKER_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/channel.h"

enum { INTAKE_REFS = 512 }; /* more stay in the channel */

struct intake {
    struct ring_view ring;
    struct frame_ref refs[INTAKE_REFS];
    size_t next;  /* of refs, the first that is not taken yet */
    size_t bytes; /* of refs that are filled; the last one may be a part */
    bool ended;   /* the master has shut its side down: what is here is all */
};

/* The ring must be there as long as the intake. */
void intake_init(struct intake *in, const struct ring_view *ring);

/* Reads once from the data pair, as much as there is room for. Nothing to read is true. False, with errno: the pair is
 * broken, or what came is no part of the ring (EBADMSG). */
bool intake_read(struct intake *in, int fd);

/* The first frame: false if there is none. It stays until intake_drop(). */
bool intake_peek(const struct intake *in, struct frame_ref *ref, const uint8_t **frame);
void intake_drop(struct intake *in);

bool intake_is_empty(const struct intake *in);

/* Nothing more can be read before some of it is dropped. */
bool intake_is_full(const struct intake *in);

#endif
