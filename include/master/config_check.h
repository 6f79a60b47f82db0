/* config_check.h: what the table of the configuration cannot check by itself: URLs, addresses, lists. */
#ifndef FIREHOSED_MASTER_CONFIG_CHECK_H
#define FIREHOSED_MASTER_CONFIG_CHECK_H

#include <stdbool.h>

#include "base/config.h"
#include "base/error.h"

/* Adds an error for each wrong value, which begins with the place that the value is from. Reads the files of
 * authorities (relay_ca_file, redis_ca_file) as the calling user. */
void master_check_config(const struct config *config, struct error_list *wrong);

/* Reads and checks the configuration: config_read() and master_check_config(). Returns NULL if something is wrong; *why
 * then has the first error, and the number of errors. */
struct config *master_load_config(const char *path, struct error *why);

#endif
