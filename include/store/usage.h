/* usage.h: what Redis says of itself, as store_usage() returns it. For people; by memory and lengths it is also decided
 * whether our streams are trimmed (trim.h in src/store). */
#ifndef FIREHOSED_STORE_USAGE_H
#define FIREHOSED_STORE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

enum { STORE_CONCERN_BYTES = 200 };

/* What Redis says of itself and of our streams; -1: unknown (Redis is away, refuses, or has not answered yet). */
struct store_usage {
    int64_t used_memory, max_memory;            /* bytes; max_memory 0: no limit */
    int64_t uncounted_memory;                   /* bytes of it that do not count against max_memory */
    int64_t stream_length, dead_letters_length; /* entries */
    int64_t refusals;                           /* writes that Redis refused for lack of memory, since it started */
    int refused_s;    /* seconds for which the last of them still counts */
    bool was_refused; /* one of these in the last half minute; true if Redis does not count them */
    int64_t evicted_keys;                       /* since Redis started */
    char concern[STORE_CONCERN_BYTES]; /* what endangers the data there, and what to do; "": nothing is known */
};

/* What this firehosed has written, for the comparison with what Redis says. */
struct store_tally {
    uint64_t written, in_flight;
    uint64_t era; /* differs after a worker has started, or connected to Redis */
    int64_t ms;   /* when */
};

#endif
