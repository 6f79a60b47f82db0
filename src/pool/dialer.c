#include "config.h"

#include "dialer.h"

#include <stdio.h>
#include <unistd.h>

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
    redis_dial_end(&w->dial);
    answer(w, fd, fd >= 0 ? "" : why->text);
}

void dialer_cancel(struct worker_process *w) { redis_dial_cancel(&w->dial); }

void dialer_start(struct worker_process *w)
{
    struct pool *p = w->pool;
    struct error why;
    if (!redis_dial_start(&w->dial, p->base, p->dns, p->config, on_connected, w, &why))
        answer(w, -1, why.text);
}
