/* sandbox.h: what a worker may still ask of the kernel, once it is set up.
 *
 * A worker parses what strangers send. If one of them finds a hole in it, then the process that is taken over has no
 * files, no way to open one, to connect, to start a program or to look into another process: it has the descriptors
 * it was given (its channel, a connection to Redis, the log), memory up to a limit, and the system calls below.
 *
 * In order: no new privileges, no capabilities, no core files, limits, and last the filter, which also forbids to
 * undo any of that. A call that the filter stops is not executed; its number is put into the worker's slot and the
 * process dies by SIGSYS, so that the master can name the call (pool.c). */
#ifndef FIREHOSED_WORKER_SANDBOX_H
#define FIREHOSED_WORKER_SANDBOX_H

#include <stdbool.h>

#include "base/config.h"
#include "ipc/counters.h"
#include "base/error.h"

/* Goes in; there is no way out. Called when all files are read (certificates above all) and nothing is to be opened
 * any more. `slot` is where a forbidden call is noted. False: the kernel cannot, *why says what of it; the process
 * is then half inside and must not go on. Does nothing if config->sandbox is off. */
bool sandbox_enter(const struct config *config, struct worker_slot *slot, struct error *why);

/* Whether this kernel (and what is around it: a container's own filter, say) lets a worker go in: a child is forked
 * that tries. False: *why. True at once if config->sandbox is off, and with a warning where there is no process to try
 * it with. */
bool sandbox_try(const struct config *config, struct error *why);

#endif
