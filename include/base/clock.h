/* clock.h: what time it is, in the two senses that matter. */
#ifndef FIREHOSED_BASE_CLOCK_H
#define FIREHOSED_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds that never go back: for intervals and time-outs. */
int64_t clock_monotonic_ms(void);

/* Microseconds since 1970 UTC: for what people and other machines read. */
int64_t clock_unix_us(void);

enum { CLOCK_TEXT_BYTES = 40 };

/* "2025-01-31T23:59:59.123Z" of such microseconds (not before 1970). Returns `out`. Without strftime(), which asks the
 * kernel for /etc/localtime on every call, even for UTC: a worker may not open files. */
const char *clock_format_utc(int64_t unix_us, char out[CLOCK_TEXT_BYTES]);

#endif
