/* intake.h: the frames that have arrived and are not decoded yet: references come in, frames in the ring go out.
 *
 * The worker room is the process that decodes and writes. It knows the channel, the atproto room and Redis. It knows
 * nothing of the relay or of other workers, and looks at no frame after its ack. */
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
    bool ended;   /* the master has shut its side down: nothing more will come */
};

/* The ring must exist as long as the intake. */
void intake_init(struct intake *in, const struct ring_view *ring);

/* Reads once from the data pair, as much as there is room for. Returns true also if there is nothing to read. Returns
 * false, with errno, if the pair is broken, or if a reference leads out of the ring (EBADMSG). */
bool intake_read(struct intake *in, int fd);

/* Tells the first frame, which stays until intake_drop(). Returns false if there is none. */
bool intake_peek(const struct intake *in, struct frame_ref *ref, const uint8_t **frame);
void intake_drop(struct intake *in);

bool intake_is_empty(const struct intake *in);

/* Returns true if nothing can be read before a frame is dropped. */
bool intake_is_full(const struct intake *in);

#endif
