/* optional.h: a number that may be unknown. A zeroed one is unknown. */
#ifndef FIREHOSED_BASE_OPTIONAL_H
#define FIREHOSED_BASE_OPTIONAL_H

#include <stdbool.h>
#include <stdint.h>

struct optional {
    bool is_known;
    int64_t value;
};

static inline struct optional optional_of(int64_t value) { return (struct optional){true, value}; }
static inline struct optional optional_none(void) { return (struct optional){0}; }

/* Returns true if the number is known and equals `value`. */
static inline bool optional_is(struct optional o, int64_t value) { return o.is_known && o.value == value; }

#endif
