/* dice.h: random numbers from a seed, the same on every machine, so that a generated capture is repeatable.
 *
 * SplitMix64 (Steele, Lea, Flood 2014): one word of state, and every seed is good. Not for secrets. */
#ifndef FIREHOSE_REPLAY_DICE_H
#define FIREHOSE_REPLAY_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Returns 0 … n-1; n is at least 1. */
static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
    return (uint32_t)((dice_next(d) >> 32) * n >> 32);
}

/* Returns a number from `from` to `to`, both included. */
static inline uint32_t dice_between(struct dice *d, uint32_t from, uint32_t to)
{
    return from + dice_below(d, to - from + 1);
}

/* Returns true in n of 1,000 cases. */
static inline bool dice_permille(struct dice *d, uint32_t n) { return dice_below(d, 1000) < n; }

static inline void dice_bytes(struct dice *d, uint8_t *out, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            word = dice_next(d);
        out[i] = (uint8_t)(word >> i % 8 * 8);
    }
}

#define dice_pick(d, array) ((array)[dice_below((d), (uint32_t)(sizeof(array) / sizeof(array)[0]))])

#endif
