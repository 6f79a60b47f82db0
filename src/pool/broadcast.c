/* broadcast.c: tells workers what has changed about the log. */
#include "config.h"

#include "base/log.h"
#include "pool/pool.h"
#include "worker_process.h"

void pool_tell(struct pool *p, unsigned index, const struct ipc_message *m, int fd)
{
    if (p->workers[index].pid != 0)
        channel_send(&p->workers[index].channel, m, fd);
}

static void tell_all(struct pool *p, const struct ipc_message *m, int fd)
{
    for (unsigned i = 0; i < p->size; i++)
        if (p->workers[i].pid != 0 && channel_send(&p->workers[i].channel, m, fd) == IPC_AGAIN)
            log_warn("worker %u is too busy to be told about the log", i);
}

void pool_set_log_level(struct pool *p, int level)
{
    const struct ipc_message m = {.type = IPC_LOG_LEVEL, .value = (uint32_t)level};
    tell_all(p, &m, -1);
}

void pool_set_log_format(struct pool *p, int format)
{
    const struct ipc_message m = {.type = IPC_LOG_FORMAT, .value = (uint32_t)format};
    tell_all(p, &m, -1);
}

void pool_reopen_log(struct pool *p)
{
    const struct ipc_message m = {.type = IPC_LOG_FILE, .value = log_is_syslog()};
    tell_all(p, &m, log_descriptor());
}
