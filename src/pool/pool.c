/* pool.c: supervision: workers are started, drained, watched, and replaced. */
#include "config.h"

#include "pool/pool.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "blame.h"
#include "dialer.h"
#include "dispatch.h"
#include "spawn.h"
#include "worker_exit.h"
#include "worker_log.h"

enum {
    RESPAWN_FIRST_MS = 100,
    RESPAWN_MAX_MS = 30000,
    DRAIN_SENT_MAX_MS = 5000, /* for finishing frames that were sent, before a new configuration */
    STEADY_MS = 10000, /* a worker that lived this long did not die at once */
};

/* True if no worker is there, or about to be started. */
static bool all_are_gone(const struct pool *p)
{
    for (unsigned i = 0; i < p->size; i++)
        if (p->workers[i].pid != 0 || evtimer_pending(p->workers[i].respawn, NULL))
            return false;
    return true;
}

/* ---- starting ---- */

static void respawn_later(struct worker_process *w, int64_t ms)
{
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    w->respawn_ms = clock_monotonic_ms() + ms;
    evtimer_add(w->respawn, &after);
}

static void spawn(struct worker_process *w)
{
    struct error why;
    if (!spawn_worker(w, &why)) {
        log_error("worker %u cannot be started: %s", w->index, why.text);
        if (w->pid == 0)
            respawn_later(w, RESPAWN_MAX_MS / 10);
        return;
    }
    log_info("worker %u started, pid %d", w->index, (int)w->pid);
    w->pool->hooks.started(w->pool->hooks.arg, w->index);
    dispatch_send(w);
}

static void on_respawn(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct worker_process *w = arg;
    if (w->pid == 0)
        spawn(w);
}

void pool_start(struct pool *p, unsigned workers, const char *progress_key)
{
    p->size = workers;
    p->progress_key = progress_key;
    p->drain = DRAIN_NONE;
    known_marks_route(p->known, workers);
    for (unsigned i = 0; i < workers; i++) {
        struct worker_process *w = &p->workers[i];
        evtimer_del(w->respawn);
        w->backoff_ms = 0;
        if (w->pid == 0)
            spawn(w);
    }
}

/* ---- ending ---- */

static void blame(struct worker_process *w, int status)
{
    struct pool *p = w->pool;
    struct ledger_record r = {0};
    const struct blame_case c = {
        .in_flight = ledger_outstanding(p->ledger, w->index, &r) ? ledger_outstanding_count(p->ledger, w->index) : 0,
        .was_on_frames = atomic_load(&w->slot->activity) == ACTIVITY_ON_FRAMES,
        .is_condemned = r.verdict != VERDICT_NONE,
        .was_hung = w->was_hung,
        .status = status,
        .condemned = p->condemned,
    };
    const struct blame b = blame_decide(&c);
    if (b.kind == BLAME_NOBODY)
        return;
    if (b.kind == BLAME_WORKER) {
        log_error("worker %u died on frame seq %lld too, and none was written since %u were put aside: this is not the "
                  "frames' fault, nothing more is put aside", w->index, (long long)r.seq, p->condemned);
        return;
    }
    unsigned points = ledger_blame(p->ledger, r.id, b.points, (uint8_t)b.verdict, b.cause);
    if (points >= POISON_POINTS) {
        p->condemned++;
        log_error("frame seq %lld, %u bytes, is poison: worker %u died on it again; it goes to %s", (long long)r.seq,
                  (unsigned)r.len, w->index, p->config->dead_letters_key);
    } else {
        log_warn("frame seq %lld, %u bytes: worker %u died while it had just this one (%u of %d points)",
                 (long long)r.seq, (unsigned)r.len, w->index, points, POISON_POINTS);
    }
}

/* Restarts it at once, or after a longer pause each time if it keeps dying. */
static void restart(struct worker_process *w, pid_t pid, int status, size_t left)
{
    char end[96];
    exit_describe(status, atomic_load(&w->slot->denied_call), end, sizeof end);
    w->restarts++;
    if (clock_monotonic_ms() - w->started_ms >= STEADY_MS)
        w->backoff_ms = 0;
    log_error("worker %u, pid %d, %s; %zu frames will be sent again, restart in %.1f s", w->index, (int)pid,
              end, left, (double)w->backoff_ms / 1000);
    respawn_later(w, w->backoff_ms);
    w->backoff_ms = w->backoff_ms == 0                   ? RESPAWN_FIRST_MS
                    : w->backoff_ms * 2 > RESPAWN_MAX_MS ? RESPAWN_MAX_MS
                                                         : w->backoff_ms * 2;
}

/* Once a drain: hooks.marks_lost may have begun one, and told its end. */
static void tell_if_drained(struct pool *p)
{
    if (p->has_told_drained || !all_are_gone(p))
        return;
    p->has_told_drained = true;
    p->hooks.drained(p->hooks.arg);
}

static void on_worker_exit(struct worker_process *w, int status)
{
    struct pool *p = w->pool;
    dispatch_take_messages(w, UINT_MAX); /* acks that it sent before it died stand */
    if (w->retry != 0)
        p->hooks.retried(p->hooks.arg, w->retry, false,
                         "its worker is gone, it may have died of it: look whether it is still there");
    w->retry = 0;
    worker_log_take(w, UINT_MAX);
    const struct exit_case c = {.status = status,
                                .was_leaving = w->is_draining,
                                .was_killed = w->is_killed,
                                .drain = p->drain,
                                .has_frames = ledger_queue_length(p->ledger, w->index) > 0};
    const struct exit_decision d = exit_decide(&c);
    pid_t pid = w->pid;
    if (d.has_died)
        blame(w, status);
    spawn_detach(w);
    w->pid = 0;
    size_t left = ledger_unsend(p->ledger, w->index, d.has_died);
    w->partial = 0;
    if (d.was_orderly)
        log_info("worker %u, pid %d, has finished", w->index, (int)pid);
    switch (d.next) {
    case EXIT_START:
        spawn(w);
        break;
    case EXIT_RESTART:
        restart(w, pid, status, left);
        break;
    case EXIT_LEAVE:
        tell_if_drained(p);
        break;
    case EXIT_CLAIMS_TAKE_OVER:
        if (w->backoff_ms < RESPAWN_FIRST_MS)
            w->backoff_ms = RESPAWN_FIRST_MS; /* time for Redis to answer */
        restart(w, pid, status, left);
        p->hooks.check_owner(p->hooks.arg);
        break;
    case EXIT_MARKS_LOST:
        p->hooks.marks_lost(p->hooks.arg);
        if (c.drain != DRAIN_NONE)
            tell_if_drained(p);
        break;
    }
}

bool pool_reap(struct pool *p, pid_t pid, int status)
{
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        if (p->workers[i].pid == pid) {
            on_worker_exit(&p->workers[i], status);
            return true;
        }
    return false;
}

/* The one place where a drain begins. */
static void begin_drain(struct pool *p, enum drain drain)
{
    p->drain = drain;
    p->drain_ms = clock_monotonic_ms();
    p->has_told_drained = false;
}

void pool_drain(struct pool *p, bool everything)
{
    begin_drain(p, everything ? DRAIN_EVERYTHING : DRAIN_SENT);
    for (unsigned i = 0; i < p->size; i++) {
        struct worker_process *w = &p->workers[i];
        evtimer_del(w->respawn);
        if (w->pid == 0 && everything && ledger_queue_length(p->ledger, i) > 0)
            spawn(w); /* if that fails, it is tried again later */
        w->is_draining = true;
        if (w->pid != 0)
            dispatch_send(w);
    }
    tell_if_drained(p);
}

void pool_restart(struct pool *p, unsigned index)
{
    struct worker_process *w = &p->workers[index];
    if (p->drain != DRAIN_NONE)
        return; /* it leaves anyway */
    if (w->pid == 0) {
        evtimer_del(w->respawn);
        w->backoff_ms = 0;
        spawn(w);
        return;
    }
    w->is_draining = true;
    dispatch_send(w);
}

bool pool_retry(struct pool *p, unsigned index, int fd, uint64_t number, unsigned kind, const char *entry)
{
    struct worker_process *w = &p->workers[index];
    struct ipc_message m = {.type = IPC_RETRY, .id = number, .value = kind};
    snprintf(m.text, sizeof m.text, "%s", entry);
    if (w->pid == 0 || w->is_draining || w->retry != 0 || channel_send(&w->channel, &m, fd) != IPC_OK)
        return false;
    w->retry = number;
    return true;
}

void pool_abandon(struct pool *p)
{
    begin_drain(p, DRAIN_SENT);
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        evtimer_del(p->workers[i].respawn);
        p->workers[i].is_draining = true;
        p->workers[i].is_shut = true; /* nothing more for it */
    }
    pool_kill(p); /* the ledger is emptied: no frame is to blame */
    tell_if_drained(p);
}

void pool_hold(struct pool *p, bool is_held)
{
    bool released = p->is_held && !is_held;
    p->is_held = is_held;
    if (released)
        pool_feed(p);
}

bool pool_is_gone(const struct pool *p) { return all_are_gone(p); }
bool pool_is_draining(const struct pool *p) { return p->drain != DRAIN_NONE; }

void pool_kill(struct pool *p)
{
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        if (p->workers[i].pid != 0) {
            p->workers[i].is_killed = true;
            kill(p->workers[i].pid, SIGKILL);
        }
}

/* A worker that cannot finish keeps a new configuration out, which may be what would help it (another Redis). Its
 * frames are sent to its successor. */
static void check_drain(struct pool *p, int64_t now)
{
    if (p->drain != DRAIN_SENT || now - p->drain_ms < DRAIN_SENT_MAX_MS || all_are_gone(p))
        return;
    log_warn("workers that have not finished within %d s are killed; their frames are sent again",
             DRAIN_SENT_MAX_MS / 1000);
    p->drain_ms = now;
    pool_kill(p);
}

void pool_check(struct pool *p)
{
    pool_feed(p);
    int64_t now = clock_monotonic_ms();
    check_drain(p, now);
    for (unsigned i = 0; i < p->size; i++) {
        struct worker_process *w = &p->workers[i];
        if (w->pid == 0 || w->is_killed || w->was_hung)
            continue;
        dispatch_receive(w); /* its answer may be here, if it is the master that was slow */
        /* Time also passes for a worker that does not read, so that there is no room for the ping. */
        if (w->pinged_ms == 0)
            w->pinged_ms = now;
        if (!w->has_ping)
            w->has_ping = channel_send(&w->channel, &(struct ipc_message){.type = IPC_PING}, -1) == IPC_OK;
        if (now - w->pinged_ms < p->config->worker_timeout)
            continue;
        log_error("worker %u, pid %d: no sign of life for %.1f s, killing it", i, (int)w->pid,
                  (double)(now - w->pinged_ms) / 1000);
        w->was_hung = true;
        kill(w->pid, SIGKILL);
    }
}

/* ---- the rest ---- */

struct pool *pool_new(struct event_base *base, struct evdns_base *dns, struct ledger *ledger,
                      struct counters *counters, struct known_marks *known, const struct config *config,
                      struct owner_token *owner, pool_child_main *child_main, const struct pool_hooks *hooks)
{
    struct pool *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    *p = (struct pool){.base = base,
                       .dns = dns,
                       .ledger = ledger,
                       .config = config,
                       .counters = counters,
                       .known = known,
                       .owner = owner,
                       .child_main = child_main,
                       .hooks = *hooks};
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        struct worker_process *w = &p->workers[i];
        w->pool = p;
        w->index = i;
        w->slot = &counters->workers[i].slot;
        w->channel = (struct channel){.data = -1, .control = -1, .log = -1};
        w->respawn = evtimer_new(base, on_respawn, w);
        if (w->respawn == NULL) {
            pool_free(p);
            return NULL;
        }
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        struct worker_process *w = &p->workers[i];
        if (w->pool == NULL)
            continue;
        spawn_detach(w);
        if (w->respawn != NULL)
            event_free(w->respawn);
    }
    free(p);
}

void pool_feed(struct pool *p)
{
    for (unsigned i = 0; i < p->size; i++)
        dispatch_send(&p->workers[i]);
}

unsigned pool_size(const struct pool *p) { return p->size; }

void pool_worker_status(const struct pool *p, unsigned index, struct pool_worker_status *out)
{
    const struct worker_process *w = &p->workers[index];
    int64_t wait_ms = w->respawn_ms - clock_monotonic_ms();
    bool waits = w->pid == 0 && evtimer_pending(w->respawn, NULL);
    *out = (struct pool_worker_status){
        .pid = w->pid,
        .restarts = w->restarts,
        .is_draining = w->is_draining,
        .keeps_dying =
            w->backoff_ms > RESPAWN_FIRST_MS && clock_monotonic_ms() - w->started_ms < STEADY_MS + w->backoff_ms,
        .restart_in_ms = waits && wait_ms > 0 ? wait_ms : 0,
    };
}
