/* killer.c: a library to preload into firehosed, for tests: a bug that a frame sets off. A worker that reads bytes
 * with the text of
 *
 *   KILLER_ABORT   aborts          KILLER_EXIT   exits with status 3
 *   KILLER_HANG    loops for ever  KILLER_OOM    is killed by SIGKILL, as the kernel does when memory is short
 *
 * and the one that is called KILLER_AT_START ("worker-0") aborts when it starts. The master, which reads the same bytes from the relay, is left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "condemned.h"

static int is_worker; /* told by the name that it takes when it starts */

static int holds(const char *variable, const void *bytes, size_t len)
{
    const char *text = getenv(variable);
    return text != NULL && memmem(bytes, len, text, strlen(text)) != NULL;
}

static void look_at(const void *bytes, ssize_t len)
{
    if (len <= 0 || !is_worker || is_condemned(bytes, (size_t)len))
        return;
    if (holds("KILLER_ABORT", bytes, (size_t)len))
        abort();
    if (holds("KILLER_EXIT", bytes, (size_t)len))
        _exit(3);
    if (holds("KILLER_OOM", bytes, (size_t)len))
        kill(getpid(), SIGKILL);
    while (holds("KILLER_HANG", bytes, (size_t)len))
        continue;
}

int prctl(int option, ...)
{
    static int (*real)(int, unsigned long, unsigned long, unsigned long, unsigned long);
    va_list list;
    unsigned long args[4];
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "prctl");
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        args[i] = va_arg(list, unsigned long);
    va_end(list);
    const char *name = getenv("KILLER_AT_START");
    if (option == PR_SET_NAME && name != NULL && strcmp((const char *)args[0], name) == 0)
        abort();
    if (option == PR_SET_NAME)
        is_worker = strncmp((const char *)args[0], "worker-", 7) == 0;
    return real(option, args[0], args[1], args[2], args[3]);
}

ssize_t read(int fd, void *bytes, size_t len)
{
    static ssize_t (*real)(int, void *, size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "read");
    ssize_t n = real(fd, bytes, len);
    look_at(bytes, n);
    return n;
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    static ssize_t (*real)(int, void *, size_t, int);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "recv");
    ssize_t n = real(fd, bytes, len, flags);
    look_at(bytes, n);
    return n;
}
