/* limits.h: the two numbers that size arrays in several rooms. */
#ifndef FIREHOSED_BASE_LIMITS_H
#define FIREHOSED_BASE_LIMITS_H

enum {
    WORKERS_MAX = 64,
    PARTITIONS = 64, /* fixed for ever: marks are kept by partition, so that they survive any number of workers */
};

#endif
