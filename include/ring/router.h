/* router.h: which worker gets a repo's events. A repo always goes to the same one, so its events stay in order. */
#ifndef FIREHOSED_RING_ROUTER_H
#define FIREHOSED_RING_ROUTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/limits.h"

static inline uint16_t route_partition(const void *did, size_t len)
{
    return (uint16_t)(hash_bytes(did, len) % PARTITIONS);
}

static inline unsigned route_worker(uint16_t partition, unsigned workers) { return partition % workers; }

#endif
