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

void pool_set_log_level(struct pool *p, int level)
{
    const struct ipc_message m = {.type = IPC_LOG_LEVEL, .value = (uint32_t)level};
    for (unsigned i = 0; i < p->size; i++)
        if (p->workers[i].pid != 0 && channel_send(&p->workers[i].channel, &m, -1) == IPC_AGAIN)
            log_warn("worker %u is too busy to be told about the log", i);
}
