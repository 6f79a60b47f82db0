#include "config.h"

#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "dialer.h"
#include "dispatch.h"
#include "worker_log.h"

/* Kernels before 5.9, and filters around containers of that time, do not have close_range(). */
static void close_all_of(unsigned from, unsigned last)
{
    if (close_range(from, last, 0) == 0)
        return;
    struct rlimit most;
    if (getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur <= last)
        last = (unsigned)most.rlim_cur;
    for (unsigned fd = from; fd <= last; fd++)
        close((int)fd);
}

/* The child keeps its channel and the standard streams. The master's other descriptors are closed: the relay, the
 * control socket, the log, other workers' channels, those of the loop. */
static void close_all_but(const int *keep, size_t count)
{
    unsigned from = STDERR_FILENO + 1;
    for (;;) {
        unsigned next = ~0u;
        for (size_t i = 0; i < count; i++)
            if (keep[i] >= (int)from && (unsigned)keep[i] < next)
                next = (unsigned)keep[i];
        if (next > from)
            close_all_of(from, next - 1);
        if (next == ~0u)
            return;
        from = next + 1;
    }
}

static void run_child(struct pool *p, struct worker_process *w, const struct channel *ends, pid_t master)
{
    const int keep[] = {ends->data, ends->control, ends->log};
    uint64_t own = 0;
    for (unsigned partition = w->index; partition < PARTITIONS; partition += p->size)
        own |= UINT64_C(1) << partition;
    close_all_but(keep, sizeof keep / sizeof keep[0]);
    worker_pages_keep(p->counters, w->index);
    worker_pages_keep(p->known->pages, w->index);
    const struct worker_setup setup = {
        .index = w->index,
        .master = master,
        .config = p->config,
        .channel = *ends,
        .slot = w->slot,
        .ring = {.bytes = ledger_view(p->ledger), .size = ledger_size_bytes(p->ledger)},
        .known = &p->known->pages[w->index],
        .own = own,
        .owner = *p->owner,
        .progress_key = p->progress_key,
    };
    p->child_main(&setup);
    _exit(1);
}

static bool attach(struct worker_process *w)
{
    w->writable = event_new(w->pool->base, w->channel.data, EV_WRITE, dispatch_on_writable, w);
    w->readable = event_new(w->pool->base, w->channel.control, EV_READ | EV_PERSIST, dispatch_on_message, w);
    w->lines = event_new(w->pool->base, w->channel.log, EV_READ | EV_PERSIST, worker_log_on_line, w);
    return w->writable != NULL && w->readable != NULL && w->lines != NULL && event_add(w->readable, NULL) == 0 &&
           event_add(w->lines, NULL) == 0;
}

void spawn_detach(struct worker_process *w)
{
    dialer_cancel(w);
    if (w->writable != NULL)
        event_free(w->writable);
    if (w->readable != NULL)
        event_free(w->readable);
    if (w->lines != NULL)
        event_free(w->lines);
    w->writable = w->readable = w->lines = NULL;
    channel_close(&w->channel);
}

bool spawn_worker(struct worker_process *w, struct error *why)
{
    struct pool *p = w->pool;
    struct channel worker_end;
    if (!channel_pair(&w->channel, &worker_end, why))
        return false;
    w->partial = 0;
    w->is_draining = p->drain != DRAIN_NONE;
    w->is_shut = w->is_killed = w->was_hung = false;
    w->started_ms = clock_monotonic_ms();
    w->pinged_ms = 0;
    w->has_ping = false;
    atomic_store(&w->slot->denied_call, 0);
    atomic_store(&w->slot->activity, ACTIVITY_STARTING);
    pid_t master = getpid();
    p->owner->generation++;
    w->pid = fork();
    if (w->pid == 0)
        run_child(p, w, &worker_end, master);
    error_set(why, "%s", w->pid < 0 ? strerror(errno) : "out of memory"); /* what follows changes errno */
    channel_close(&worker_end);
    if (w->pid > 0 && attach(w))
        return true;
    if (w->pid > 0)
        kill(w->pid, SIGKILL); /* reaped, and tried again */
    else
        w->pid = 0;
    spawn_detach(w);
    return false;
}
