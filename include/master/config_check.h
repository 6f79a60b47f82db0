/* config_check.h: what the table of the configuration cannot check by itself: URLs, addresses, lists. */
#ifndef FIREHOSED_MASTER_CONFIG_CHECK_H
#define FIREHOSED_MASTER_CONFIG_CHECK_H

#include <stdbool.h>

#include "base/config.h"
#include "base/error.h"

/* Returns false if a value is wrong; *why begins with where the value is from. */
bool master_check_config(const struct config *config, struct error *why);

#endif
