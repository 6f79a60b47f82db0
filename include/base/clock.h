/* clock.h: the monotonic clock, the time of day, and the time of day as text. */
#ifndef FIREHOSED_BASE_CLOCK_H
#define FIREHOSED_BASE_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

/* Returns milliseconds that never go back, for intervals and time-outs. */
int64_t clock_monotonic_ms(void);

/* Returns microseconds since 1970 UTC, for people and other machines. */
int64_t clock_unix_us(void);

/* Converts an interval for the timers of libevent. */
static inline struct timeval clock_timeval(int64_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

enum { CLOCK_TEXT_BYTES = 40 };

/* Writes microseconds since 1970 UTC as "2025-01-31T23:59:59.123Z"; a time before 1970 counts as 1970. Returns `out`.
 * Does not use strftime(): that opens /etc/localtime on every call, even for UTC, and a worker may not open files. */
const char *clock_format_utc(int64_t unix_us, char out[CLOCK_TEXT_BYTES]);

#endif
