/* fuzz.h: what the targets share. A target is one file: LLVMFuzzerTestOneInput() takes bytes as a stranger
 * would send them and dies where a property does not hold. What the bytes are, and which properties, stands
 * at its head. */
#ifndef FIREHOSED_TESTS_FUZZ_H
#define FIREHOSED_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Ends the process, with a reason, unless the condition holds: libFuzzer then keeps the input. */
#define must(condition, ...)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: must hold: %s: ", __FILE__, __LINE__, #condition);                       \
            fprintf(stderr, "" __VA_ARGS__);                                                                 \
            fputc('\n', stderr);                                                                             \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* Takes n bytes off the front of the input as a number; fewer where it ends. */
static inline uint32_t take_number(const uint8_t **data, size_t *size, size_t n)
{
    uint32_t value = 0;
    for (; n > 0 && *size > 0; n--, (*size)--)
        value = value << 8 | *(*data)++;
    return value;
}

/* Pseudo-random steps from a number out of the input: chunk sizes and the like (xorshift; never 0 from non-0). */
static inline uint32_t next_step(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
