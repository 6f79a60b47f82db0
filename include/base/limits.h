/* limits.h: two numbers that size arrays in several rooms. */
#ifndef FIREHOSED_BASE_LIMITS_H
#define FIREHOSED_BASE_LIMITS_H

enum {
    WORKERS_MAX = 64,
    PARTITIONS = 64, /* fixed for ever: Redis has a mark for each partition, whatever the number of workers */
};

#endif
