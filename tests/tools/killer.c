/* killer.c: a library to preload into firehosed, for tests: a bug that a frame sets off. A worker that gets a frame
 * with the text of
 *
 *   KILLER_ABORT   aborts          KILLER_EXIT   exits with status 3
 *   KILLER_HANG    loops for ever  KILLER_OOM    is killed by SIGKILL, as the kernel does when memory is short
 *
 * and the one that is called KILLER_AT_START ("worker-0") aborts when it starts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "worker_frames.h"

static int holds(const char *variable, const void *bytes, size_t len)
{
    const char *text = getenv(variable);
    return text != NULL && memmem(bytes, len, text, strlen(text)) != NULL;
}

void on_worker_frame(const char *bytes, size_t len)
{
    if (holds("KILLER_ABORT", bytes, len))
        abort();
    if (holds("KILLER_EXIT", bytes, len))
        _exit(3);
    if (holds("KILLER_OOM", bytes, len))
        kill(getpid(), SIGKILL);
    while (holds("KILLER_HANG", bytes, len))
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
    return real(option, args[0], args[1], args[2], args[3]);
}
