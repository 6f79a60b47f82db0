/* ws_mask.h: the mask over the frames of clients (RFC 6455 §5.3), for the reader and the writer. */
#ifndef FIREHOSED_NET_WS_MASK_H
#define FIREHOSED_NET_WS_MASK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WS_MASK_BYTES = 4 };

/* Masks, or unmasks: the operation is its own inverse. `out` may be `in`. It takes eight bytes at a time; a word with
 * the key twice works in both byte orders. */
static inline void ws_mask(uint8_t *out, const uint8_t *in, size_t len, const uint8_t key[WS_MASK_BYTES])
{
    uint8_t twice[8];
    memcpy(twice, key, WS_MASK_BYTES);
    memcpy(twice + WS_MASK_BYTES, key, WS_MASK_BYTES);
    uint64_t wide;
    memcpy(&wide, twice, sizeof wide);
    size_t i = 0;
    for (; len - i >= sizeof wide; i += sizeof wide) {
        uint64_t word;
        memcpy(&word, in + i, sizeof word);
        word ^= wide;
        memcpy(out + i, &word, sizeof word);
    }
    for (; i < len; i++)
        out[i] = in[i] ^ twice[i % WS_MASK_BYTES];
}

#endif
