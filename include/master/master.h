/* master.h: the process that holds it all together. */
#ifndef FIREHOSED_MASTER_MASTER_H
#define FIREHOSED_MASTER_MASTER_H

#include "base/config.h"
#include "base/error.h"
#include "pool/pool.h"

/* Exit statuses: another firehosed has taken the keys over (not to be started again by itself), and, as sysexits(3) has
 * it, a wrong configuration. */
enum { MASTER_EXIT_TAKEN_OVER = 76, MASTER_EXIT_CONFIG = 78, MASTER_EXIT_SEQUENCE = 79 /* on_sequence_reset = stop */ };

/* Runs until SIGTERM or SIGINT. Takes config over. config_file: for SIGHUP; NULL: none. Returns the exit status. */
int master_run(struct config *config, const char *config_file, pool_child_main *child_main);

/* Checks what the table cannot: that the URLs can be read. *why begins with where the value came from. */
bool master_check_config(const struct config *config, struct error *why);

#endif
