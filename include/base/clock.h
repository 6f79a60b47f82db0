/* clock.h: what time it is, in the two senses that matter. */
#ifndef FIREHOSED_BASE_CLOCK_H
#define FIREHOSED_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds that never go back: for intervals and time-outs. */
int64_t clock_monotonic_ms(void);

/* Microseconds since 1970 UTC: for what people and other machines read. */
int64_t clock_unix_us(void);

#endif
