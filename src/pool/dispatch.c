/* feeder.c: which frames of the ring are a worker's turn, and its acks back into the ledger. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "pool_internal.h"

enum {
    FRAMES_PER_WRITE = 128,
    /* The most that a worker has in hand, in transactions: one is executed, one built, and one lies ready. What it dies
     * on is replayed one by one, so it should not be much more. */
    BATCHES_AHEAD = 3,
    MESSAGES_PER_TURN = 64, /* a worker that talks without end must not keep the master from everything else */
};

struct gathered {
    struct frame_ref refs[FRAMES_PER_WRITE];
    size_t count;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A worker that is at work on something is not woken for less: what has come until it acks goes then, as one batch. (It
 * is Nagle's idea, and as there nothing ever waits for a clock.) */
static size_t enough(const struct pool *p)
{
    return least((size_t)p->config->batch_events, FRAMES_PER_WRITE);
}

/* Suspects go one at a time: the next frame leaves when the one before it is committed, so that a death tells whose
 * fault it is. Returns how many frames may be sent now. */
static size_t allowance(const struct worker_process *w)
{
    const struct pool *p = w->pool;
    struct ledger_record first, next;
    /* A worker that is to leave, or to wait, gets the rest of a reference that has begun; on the way out, all. */
    if (p->is_held || (w->is_draining && p->drain != DRAIN_EVERYTHING))
        return w->partial > 0 ? 1 : 0;
    if (!ledger_next_unsent(p->ledger, w->index, &next))
        return 0;
    if (w->partial > 0)
        return next.is_suspect ? 1 : FRAMES_PER_WRITE;
    size_t sent = ledger_outstanding_count(p->ledger, w->index);
    if (ledger_outstanding(p->ledger, w->index, &first) &&
        (first.is_suspect || next.is_suspect || ledger_queue_length(p->ledger, w->index) - sent < enough(p)))
        return 0;
    size_t most = BATCHES_AHEAD * (size_t)p->config->batch_events;
    return next.is_suspect ? 1 : least(most > sent ? most - sent : 0, FRAMES_PER_WRITE);
}

/* Collects what is unsent, at most `max` frames, none that is to go alone behind others. False: there is nothing. */
static bool gather(const struct worker_process *w, struct gathered *g, size_t max)
{
    struct ledger_record r;
    g->count = 0;
    bool more = ledger_next_unsent(w->pool->ledger, w->index, &r);
    while (more && g->count < max && !(r.is_suspect && g->count > 0)) {
        g->refs[g->count++] = (struct frame_ref){
            .at = r.at,
            .len = r.len,
            .partition = r.partition,
            .kind = r.kind,
            .verdict = r.verdict,
            .cause = r.cause,
            .id = r.id,
            .seq = r.seq,
        };
        more = ledger_unsent_after(w->pool->ledger, r.id, &r);
    }
    return g->count > 0;
}

/* n bytes went out: moves past whole references, and remembers how much of the next one is gone. */
static void account(struct worker_process *w, const struct gathered *g, size_t n)
{
    n += w->partial;
    size_t whole = n / sizeof g->refs[0];
    if (whole > 0)
        ledger_sent(w->pool->ledger, w->index, g->refs[whole - 1].id);
    w->partial = n % sizeof g->refs[0];
}

/* True: on the way out, something waits for an ack, for suspects in front of it, or for the first cursor to be
 * saved. */
static bool has_more_to_send(const struct worker_process *w)
{
    struct ledger_record next;
    return w->pool->drain == DRAIN_EVERYTHING && ledger_next_unsent(w->pool->ledger, w->index, &next);
}

void dispatch_send(struct worker_process *w)
{
    struct gathered g;
    if (w->pid == 0 || w->is_shut)
        return;
    for (;;) {
        if (!gather(w, &g, allowance(w)))
            break;
        ssize_t n = write(w->channel.data, (const char *)g.refs + w->partial, g.count * sizeof g.refs[0] - w->partial);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            event_add(w->writable, NULL);
            return;
        }
        if (n < 0)
            return; /* it died, and SIGCHLD follows; or the kernel has no memory: pool_check() tries again */
        account(w, &g, (size_t)n);
    }
    if (w->is_draining && !has_more_to_send(w)) {
        shutdown(w->channel.data, SHUT_WR);
        w->is_shut = true;
    }
}

void dispatch_on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    dispatch_send(arg);
}

/* False: it is not one that a worker sends. */
static bool on_message(struct worker_process *w, const struct ipc_message *m)
{
    struct pool *p = w->pool;
    switch (m->type) {
    case IPC_ACK: {
        bool had_suspects = ledger_has_suspects(p->ledger, w->index);
        size_t frames = ledger_commit(p->ledger, w->index, m->id);
        for (unsigned c = 0; c < COUNTERS; c++)
            if (m->counts[c] > 0)
                counter_add(w->slot, (enum counter)c, m->counts[c]);
        if (m->counts[COUNTER_WRITTEN] > 0)
            p->condemned = 0;
        if (frames > 0)
            p->hooks.committed(p->hooks.arg, frames);
        if (had_suspects && !ledger_has_suspects(p->ledger, w->index))
            log_info("worker %u, pid %d, has got through what its predecessor died on", w->index, (int)w->pid);
        if (frames > 0)
            dispatch_send(w); /* what has come meanwhile; after a suspect, which is innocent then, the next one */
        return true;
    }
    case IPC_RETRIED:
        if (w->retry != 0 && m->id == w->retry) {
            w->retry = 0;
            p->hooks.retried(p->hooks.arg, m->id, m->value == 1, m->text);
        }
        return true;
    case IPC_WANT_REDIS:
        dialer_start(w);
        return true;
    default:
        return false;
    }
}

enum ipc_result dispatch_take_messages(struct worker_process *w, unsigned max)
{
    struct ipc_message m;
    int fd;
    enum ipc_result result = IPC_GONE;
    for (unsigned taken = 0; w->channel.control >= 0; taken++) {
        if (taken == max)
            return IPC_OK;
        result = channel_receive(&w->channel, &m, &fd);
        if (fd >= 0)
            close(fd); /* workers have no business sending any */
        if (result == IPC_OK && !on_message(w, &m))
            result = IPC_BROKEN;
        if (result != IPC_OK)
            break;
    }
    if (result != IPC_AGAIN && w->readable != NULL)
        event_del(w->readable); /* SIGCHLD follows */
    return result;
}

void dispatch_on_message(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct worker_process *w = arg;
    /* Whatever it is that has become of this worker, its acks are worth nothing. */
    if (dispatch_take_messages(w, MESSAGES_PER_TURN) == IPC_BROKEN && w->pid != 0) {
        log_error("worker %u, pid %d, sent what is no message, killing it", w->index, (int)w->pid);
        kill(w->pid, SIGKILL);
    }
}
