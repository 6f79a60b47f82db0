/* settings_print.h: the table of settings in words: values, ranges, a sample file and the manual's list. */
#ifndef FIREHOSED_BASE_SETTINGS_PRINT_H
#define FIREHOSED_BASE_SETTINGS_PRINT_H

#include <stdio.h>

#include "base/setting.h"

/* Writes the row's value as the file would give it. Returns `out`. */
const char *settings_format(const struct setting *row, const void *values, char *out, size_t out_bytes);

/* Writes which values the row takes: "a number from 1 to 64", "one of: debug, info, warn, error". Returns `out`. */
const char *setting_expected(const struct setting *row, char *out, size_t out_bytes);

/* Returns the key that is closest to a misspelt one, or NULL if none is close. */
const char *setting_nearest(const struct setting *table, const char *name);

/* Writes a sample file: every key, commented out, with its default, help and range. */
void settings_write_sample(const struct setting *table, FILE *out);

/* Writes the list of keys for a manual page (man(7) macros). */
void settings_write_manual(const struct setting *table, FILE *out);

#endif
