#include "config.h"

#include "dispatch.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "dialer.h"

enum {
    /* The most that a worker has in flight, in transactions: Redis executes one, the worker builds one, and one lies
     * ready. After a death it is replayed one by one, so it should not be much more. */
    BATCHES_AHEAD = 3,
    MESSAGES_PER_TURN = 64, /* then other events get their turn, whatever a worker sends */
};

struct gathered {
    struct frame_ref refs[DISPATCH_FRAMES];
    size_t count;
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

size_t dispatch_allowance(const struct dispatch_case *c)
{
    /* A worker that is to leave, or to wait, gets the rest of a reference that has begun. */
    if (c->is_held || c->is_leaving)
        return c->has_partial ? 1 : 0;
    if (!c->has_next)
        return 0;
    if (c->has_partial)
        return c->next_is_suspect ? 1 : DISPATCH_FRAMES;
    /* While a worker has a batch in flight, smaller batches wait, and go with the next ack. (It is Nagle's idea, and as
     * there nothing ever waits for a clock.) */
    if (c->in_flight > 0 && (c->first_is_suspect || c->next_is_suspect ||
                             c->waiting < least(c->batch_events, DISPATCH_FRAMES)))
        return 0;
    size_t most = BATCHES_AHEAD * c->batch_events;
    return c->next_is_suspect ? 1 : least(most > c->in_flight ? most - c->in_flight : 0, DISPATCH_FRAMES);
}

static size_t allowance(const struct worker_process *w)
{
    const struct pool *p = w->pool;
    struct ledger_record first = {0}, next = {0};
    struct dispatch_case c = {
        .is_held = p->is_held,
        .is_leaving = w->is_draining && p->drain != DRAIN_EVERYTHING,
        .has_partial = w->partial > 0,
        .has_next = ledger_next_unsent(p->ledger, w->index, &next),
        .in_flight =
            ledger_outstanding(p->ledger, w->index, &first) ? ledger_outstanding_count(p->ledger, w->index) : 0,
        .batch_events = (size_t)p->config->batch_events,
    };
    c.waiting = ledger_queue_length(p->ledger, w->index) - c.in_flight;
    c.first_is_suspect = first.is_suspect;
    c.next_is_suspect = next.is_suspect;
    return dispatch_allowance(&c);
}

/* Collects at most `max` unsent frames; a suspect does not go behind others. Returns false if there is none. */
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

/* n bytes were written: moves past whole references, and remembers how much of the next one is gone. */
static void account(struct worker_process *w, const struct gathered *g, size_t n)
{
    n += w->partial;
    size_t whole = n / sizeof g->refs[0];
    if (whole > 0)
        ledger_sent(w->pool->ledger, w->index, g->refs[whole - 1].id);
    w->partial = n % sizeof g->refs[0];
}

/* True if something is still to be sent before the worker leaves. It waits for an ack, for suspects in front of it, or
 * until the first cursor is saved. */
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
            return; /* SIGCHLD follows; or the kernel has no memory, and pool_check() tries again */
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

/* Returns false if a worker does not send such messages. */
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
        if (frames > 0 && m->counts[COUNTER_WRITTEN] > 0)
            p->condemned = 0;
        if (frames > 0)
            p->hooks.committed(p->hooks.arg, frames);
        if (had_suspects && !ledger_has_suspects(p->ledger, w->index))
            log_info("worker %u, pid %d, has got through what its predecessor died on", w->index, (int)w->pid);
        if (frames > 0)
            dispatch_send(w); /* frames that have come meanwhile; or the next one after a suspect */
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
    case IPC_PONG:
        w->pinged_ms = 0;
        w->has_ping = false;
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
            close(fd); /* workers have no reason to send one */
        if (result == IPC_OK && !on_message(w, &m))
            result = IPC_BROKEN;
        if (result != IPC_OK)
            break;
    }
    if (result != IPC_AGAIN && w->readable != NULL)
        event_del(w->readable); /* SIGCHLD follows */
    return result;
}

void dispatch_receive(struct worker_process *w)
{
    enum ipc_result result = dispatch_take_messages(w, MESSAGES_PER_TURN);
    if ((result != IPC_BROKEN && result != IPC_GONE) || w->pid == 0)
        return;
    /* Whatever has become of this worker, its acks are worth nothing, and none can come any more. Of one that has left
     * by itself, its status is not changed by a signal. */
    if (result == IPC_BROKEN)
        log_error("worker %u, pid %d, sent bytes that are no message: it is killed", w->index, (int)w->pid);
    kill(w->pid, SIGKILL);
}

void dispatch_on_message(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    dispatch_receive(arg);
}
