/* human.h: numbers for people, in log lines and in firehosectl. */
#ifndef FIREHOSED_BASE_HUMAN_H
#define FIREHOSED_BASE_HUMAN_H

#include <stddef.h>
#include <stdint.h>

enum { HUMAN_BYTES = 32 };

/* Writes "1,234,567". Returns `out`. */
const char *human_count(uint64_t n, char out[HUMAN_BYTES]);

/* Writes "45 s", "5 min", "3.5 h" or "2.1 days", as exact as an estimate deserves. Returns `out`. */
const char *human_duration(double seconds, char out[HUMAN_BYTES]);

/* human_duration() with a tenth below ten seconds: "0.3 s". Returns `out`. */
const char *human_lag(double seconds, char out[HUMAN_BYTES]);

/* Writes "512 B", "1.3 MB" or "20 GB": decimal units. Returns `out`. */
const char *human_bytes(double bytes, char out[HUMAN_BYTES]);

#endif
