/* setting_text.h: values of the configuration as people may see them. */
#ifndef FIREHOSED_MASTER_SETTING_TEXT_H
#define FIREHOSED_MASTER_SETTING_TEXT_H

#include <stddef.h>

#include "base/config.h"

enum { SETTING_TEXT_BYTES = 4096 };

/* Writes the value as it stands in the file, with passwords in URLs as "***". Returns `out`. */
const char *setting_text(const struct setting *row, const struct config *config, char *out, size_t out_bytes);

#endif
