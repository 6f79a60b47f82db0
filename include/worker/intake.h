/* intake.h: what has arrived on the channel and is not decoded yet: bytes in, whole frames out.
 *
 * The worker room: the process that decodes and writes. It knows the channel, the atproto room and Redis; it knows
 * nothing of the relay or of other workers, and holds no frame longer than until it is in a batch. */
#ifndef FIREHOSED_WORKER_INTAKE_H
#define FIREHOSED_WORKER_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/channel.h"

struct intake {
    uint8_t *data;
    size_t cap;
    size_t start, end; /* bytes not taken yet */
    bool ended;        /* the master has shut its side down: what is here is all */
};

bool intake_init(struct intake *in);
void intake_fini(struct intake *in);

/* Reads once from the data pair, as much as there is room for. False: the pair is broken, or a frame is larger than
 * memory allows. Nothing to read is true. */
bool intake_read(struct intake *in, int fd);

/* The first whole frame: false if there is none yet. It stays until intake_drop(). */
bool intake_peek(const struct intake *in, struct frame_header *header, const uint8_t **frame);
void intake_drop(struct intake *in, const struct frame_header *header);

static inline bool intake_is_empty(const struct intake *in) { return in->start == in->end; }

#endif
