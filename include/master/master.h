/* master.h: the process that holds the others together.
 *
 * The master room: the assembly of all rooms below it. It decides what becomes of a message (ingest.h), and when the
 * course changes (transitions.h). It peeks at frames but never decodes a record, and never waits in a call. */
#ifndef FIREHOSED_MASTER_MASTER_H
#define FIREHOSED_MASTER_MASTER_H

#include "base/config.h"
#include "master/exit_code.h"
#include "pool/pool.h"

/* Runs until it is told to stop. Takes the configuration over. config_file: what SIGHUP reads again; NULL: no file.
 * child_main: what a forked worker runs. Returns the exit status. */
int master_run(struct config *config, const char *config_file, pool_child_main *child_main);

#endif
