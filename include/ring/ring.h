/* ring.h: the memory of the ledger.
 *
 * One piece of memory is mapped twice, at two neighbouring places, so that any run of bytes in it is contiguous, and
 * nobody has to know where it wraps. All of that exists two times: the master writes to the first, and the workers
 * inherit the second, which they can only read. No system call makes theirs writable: the memory is sealed against that
 * (F_SEAL_FUTURE_WRITE, fcntl(2)) before it is mapped for them. */
#ifndef FIREHOSED_RING_RING_H
#define FIREHOSED_RING_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ring {
    uint8_t *bytes;      /* the master's; no child has it */
    const uint8_t *view; /* the workers' */
    size_t size;
};

/* `size`: bytes, a multiple of the page size. Returns false if the kernel refuses: *why. */
bool ring_map(struct ring *r, size_t size, struct error *why);
void ring_unmap(struct ring *r);

#endif
