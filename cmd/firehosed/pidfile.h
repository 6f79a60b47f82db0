/* pidfile.h: the file that says which process is the daemon, locked as long as it lives. */
#ifndef FIREHOSED_CMD_PIDFILE_H
#define FIREHOSED_CMD_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

enum pidfile_result { PIDFILE_OK, PIDFILE_HELD, PIDFILE_FAILED };

/* Opens and locks the file, making its directory if that is missing. *fd stays open for the life of the daemon.
 * PIDFILE_HELD: another process holds it. */
enum pidfile_result pidfile_lock(const char *path, int *fd, struct error *why);

/* Writes this process's id (after daemonizing). */
bool pidfile_write(int fd, const char *path, pid_t process, struct error *why);

/* Removes the file; the lock goes with the descriptor. */
void pidfile_remove(int fd, const char *path);

#endif
