/* pidfile.h: the file with the daemon's process id, locked while the daemon runs. */
#ifndef FIREHOSED_CMD_PIDFILE_H
#define FIREHOSED_CMD_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

enum pidfile_result { PIDFILE_OK, PIDFILE_HELD, PIDFILE_FAILED };

/* Opens and locks the file; *fd stays open while the daemon runs. Returns PIDFILE_HELD if another process has the lock.
 * Fills *why and sets *fd to -1 on failure. */
enum pidfile_result pidfile_lock(const char *path, int *fd, struct error *why);

/* Writes the id of the process. Returns false and fills *why on failure. */
bool pidfile_write(int fd, const char *path, pid_t process, struct error *why);

/* Removes the file and closes the descriptor, which releases the lock. Does nothing if fd is -1. */
void pidfile_remove(int fd, const char *path);

#endif
