/* settings_value.h: what settings.c and settings_print.c share and nobody else needs. */
#ifndef FIREHOSED_BASE_SETTINGS_VALUE_H
#define FIREHOSED_BASE_SETTINGS_VALUE_H

#include "base/settings.h"

/* "a number from 1 to 64", "one of: debug, info, warn, error". Returns `out`. */
const char *setting_expected(const struct setting *row, char *out, size_t out_bytes);

/* The key that a misspelt one is closest to, or NULL. */
const char *setting_nearest(const struct setting *table, const char *name);

#endif
