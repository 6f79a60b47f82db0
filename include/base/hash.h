/* hash.h: the hash that assigns a repo to a partition.
 *
 * Redis has a mark for each partition = hash(DID) % 64, so this function must never change: otherwise firehosed would
 * compare an event with the mark of another partition. The hash is FNV-1a, 64 bits, with MurmurHash3's finalizer,
 * because the low bits of FNV alone are poor. */
#ifndef FIREHOSED_BASE_HASH_H
#define FIREHOSED_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t hash_bytes(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

#endif
