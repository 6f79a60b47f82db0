#include "config.h"

#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum pidfile_result pidfile_lock(const char *path, int *fd, struct error *why)
{
    /* This process may be root and the folder may belong to an unprivileged user: do not follow a link of that user. */
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (*fd < 0) {
        error_set(why, "pid file %s: %s", path, strerror(errno));
        return PIDFILE_FAILED;
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return PIDFILE_OK;
    bool is_held = errno == EWOULDBLOCK;
    char pid[16] = "";
    if (!is_held)
        error_set(why, "pid file %s: %s", path, strerror(errno));
    else if (read(*fd, pid, sizeof pid - 1) > 0)
        pid[strcspn(pid, "\n")] = '\0';
    if (is_held)
        error_set(why, "pid file %s: another firehosed is running, process %s", path, pid);
    close(*fd);
    *fd = -1;
    return PIDFILE_HELD;
}

bool pidfile_write(int fd, const char *path, pid_t process, struct error *why)
{
    char pid[24];
    int n = snprintf(pid, sizeof pid, "%d\n", (int)process);
    if (pwrite(fd, pid, (size_t)n, 0) == n && ftruncate(fd, n) == 0) /* in this order the file is never empty */
        return true;
    error_set(why, "pid file %s: %s", path, strerror(errno));
    return false;
}

void pidfile_remove(int fd, const char *path)
{
    if (fd < 0)
        return;
    /* A process that is no longer root cannot remove the file from root's folder, so it empties the file. */
    if (unlink(path) != 0 && ftruncate(fd, 0) != 0) {
        /* The file keeps the old process id, without a lock. */
    }
    close(fd);
}
