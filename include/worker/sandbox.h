/* sandbox.h: what a worker may still ask of the kernel, once it is set up.
 *
 * A worker parses what strangers send. If one of them finds a hole in it, the captured process has no files, and no way
 * to open one, to connect, to start a program or to look into another process. It has the descriptors that it was given
 * (its channel, with the log's end in it, and a connection to Redis), memory up to a limit, and the system calls in
 * sandbox.c.
 *
 * The steps are: no new privileges, no capabilities, no core files, limits, and last the filter, which also forbids to
 * undo any of them. A call that the filter stops is not executed: its number is put into the worker's slot, and the
 * process dies by SIGSYS, so that the master can name the call (pool.c). */
#ifndef FIREHOSED_WORKER_SANDBOX_H
#define FIREHOSED_WORKER_SANDBOX_H

#include <stdbool.h>

#include "base/config.h"
#include "ipc/counters.h"
#include "base/error.h"

/* Takes the master's standard streams away from the worker, which must not write to a terminal or a journal without
 * limit. Its stderr leads into the log, through `log`. */
void sandbox_take_streams(int log);

/* Enters the sandbox; there is no way out. It is called when all files are read (certificates above all) and nothing is
 * to be opened any more. `slot` is where a forbidden call is noted. Returns false, with *why, if the kernel cannot do
 * one of the steps; the process is half inside then and must not go on. Does nothing if config->sandbox is off. */
bool sandbox_enter(const struct config *config, struct worker_slot *slot, struct error *why);

/* Forks a child that tries to enter. Returns false, with *why, if this kernel or its surroundings (a container's own
 * filter, say) do not allow it. Returns true at once if config->sandbox is off, and with a warning if no child can be
 * forked. */
bool sandbox_try(const struct config *config, struct error *why);

#endif
