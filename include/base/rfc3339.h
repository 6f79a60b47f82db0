/* rfc3339.h: times as they stand in events: "2026-01-02T03:04:05.678Z" (RFC 3339 §5.6; AT Protocol's "datetime"). */
#ifndef FIREHOSED_BASE_RFC3339_H
#define FIREHOSED_BASE_RFC3339_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a date and time with an offset (Z or ±hh:mm) into microseconds since 1970 UTC; digits behind the sixth of the
 * fraction are dropped. False: it is none, or not within the years 1970 to 9999. Leap seconds count as the second
 * behind them. */
bool rfc3339_parse(const void *text, size_t len, int64_t *unix_us);

#endif
