/* rfc3339.h: reads the times of events: "2026-01-02T03:04:05.678Z" (RFC 3339 §5.6; "datetime" of the AT Protocol). */
#ifndef FIREHOSED_BASE_RFC3339_H
#define FIREHOSED_BASE_RFC3339_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a date and time with an offset (Z or ±hh:mm) as microseconds since 1970 UTC. Ignores the digits of the fraction
 * after the sixth. A leap second counts as the second after it. Returns false if the text is not a date and time, or if
 * the time is outside the years 1970 to 9999. */
bool rfc3339_parse(const void *text, size_t len, int64_t *unix_us);

#endif
