/* start_check.h: everything that can be known to be wrong before firehosed starts. `firehosed -t` and each start go
 * through the same list, so that they cannot differ. What depends on other processes is not in it: Redis, the relay,
 * the lock of the pid file, the port of http_listen. */
#ifndef FIREHOSED_CMD_START_CHECK_H
#define FIREHOSED_CMD_START_CHECK_H

#include "base/config.h"
#include "base/error.h"
#include "base/privileges.h"

enum { EXIT_CONFIG = 78 /* as in sysexits(3) */ };

/* Reads the configuration and goes through the list. Changes nothing in the system. Adds all errors, each with the
 * place of its key. Returns the exit code for them: 0, EXIT_CONFIG, or EXIT_FAILURE if only files cannot be written.
 * Sets *config (NULL if memory is short; free with config_free()) and *owner. */
int start_check(const char *file, struct config **config, struct privileges *owner, struct error_list *wrong);

/* Returns true if the key's path is the default. The start then makes its folder, and a check would be premature. */
bool start_has_default_path(const struct config *config, const char *key);

#endif
