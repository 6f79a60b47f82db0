/* shortage.c: a library to preload into firehosed, for tests: a system that is short of something.
 *
 *   SHORT_OF_PROCESSES=FILE   while that file is there, fork() fails
 *   SHORT_OF_BUFFERS=N        each Nth message from one process to another finds no buffer (ENOBUFS)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

pid_t fork(void)
{
    const char *file = getenv("SHORT_OF_PROCESSES");
    if (file != NULL && access(file, F_OK) == 0) {
        errno = EAGAIN;
        return -1;
    }
    pid_t (*real)(void);
    *(void **)&real = next("fork");
    return real();
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    static ssize_t (*real)(int, const struct msghdr *, int);
    static long every = -1, count;
    if (every < 0) { /* in each process, before its sandbox is closed */
        const char *text = getenv("SHORT_OF_BUFFERS");
        every = text != NULL ? strtol(text, NULL, 10) : 0;
        *(void **)&real = next("sendmsg");
    }
    if (every > 0 && ++count % every == 0) {
        errno = ENOBUFS;
        return -1;
    }
    return real(fd, message, flags);
}
