/* dialer.c: connects to Redis for a worker. The master can resolve and connect without blocking, and the
 * worker needs neither files nor sockets of its own for it. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "pool_internal.h"

static void answer(struct worker_process *w, int fd, const char *why)
{
    struct ipc_message m = {.type = fd >= 0 ? IPC_REDIS_CONNECTED : IPC_REDIS_FAILED};
    snprintf(m.text, sizeof m.text, "%.*s", (int)sizeof m.text - 1, why);
    channel_send(&w->channel, &m, fd);
    if (fd >= 0)
        close(fd);
}

static void on_connected(void *arg, int fd, const struct error *why)
{
    struct worker_process *w = arg;
    w->attempt = NULL;
    answer(w, fd, fd >= 0 ? "" : why->text);
}

void dialer_cancel(struct worker_process *w)
{
    connect_cancel(w->attempt);
    w->attempt = NULL;
}

void dialer_start(struct worker_process *w)
{
    struct pool *p = w->pool;
    struct error why;
    dialer_cancel(w);
    if (!url_parse(p->config->redis, &w->redis, &why)) {
        answer(w, -1, why.text);
        return;
    }
    w->attempt =
        connect_start(p->base, p->dns, &w->redis, (int)p->config->redis_connect_timeout, on_connected, w);
    if (w->attempt == NULL)
        answer(w, -1, "out of memory");
}
