/* pool.c: the life of workers. Their feeding is in feeder.c, their way to Redis in dialer.c. */
#include "config.h"

#include "pool/pool.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/syscall_name.h"
#include "pool_internal.h"

enum {
    RESPAWN_FIRST_MS = 100,
    RESPAWN_MAX_MS = 30000,
    DRAIN_SENT_MAX_MS = 5000, /* for finishing what was sent, before a new configuration */
    STEADY_MS = 10000, /* a worker that lived this long did not die at once */
    /* So many poison frames without a good one between them are none: then it is the worker that is broken, and must
     * not throw the whole firehose away. */
    CONDEMNED_MAX = 16,
};

/* And none is about to be started. */
static bool all_are_gone(const struct pool *p)
{
    for (unsigned i = 0; i < p->size; i++)
        if (p->workers[i].pid != 0 || evtimer_pending(p->workers[i].respawn, NULL))
            return false;
    return true;
}

/* ---- starting ---- */

/* Kernels before 5.9, and filters of that time around containers, do not have close_range(). */
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

/* The child keeps its channel, the log and the standard streams; everything else of the master's is closed:
 * the relay, the control socket, other workers' channels, the loop's own descriptors. */
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
    const int keep[] = {ends->data, ends->control, log_descriptor()};
    uint64_t own = 0;
    for (unsigned partition = w->index; partition < PARTITIONS; partition += p->size)
        own |= UINT64_C(1) << partition;
    close_all_but(keep, sizeof keep / sizeof keep[0]);
    const struct worker_setup setup = {
        .index = w->index,
        .master = master,
        .config = p->config,
        .channel = *ends,
        .slot = w->slot,
        .ring = {.bytes = ledger_view(p->ledger), .size = ledger_size_bytes(p->ledger)},
        .known = p->known,
        .own = own,
        .owner = *p->owner,
        .progress_key = p->progress_key,
    };
    p->child_main(&setup);
    _exit(1);
}

static void respawn_later(struct worker_process *w, int64_t ms)
{
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    w->respawn_ms = clock_monotonic_ms() + ms;
    evtimer_add(w->respawn, &after);
}

static bool attach(struct worker_process *w)
{
    w->writable = event_new(w->pool->base, w->channel.data, EV_WRITE, dispatch_on_writable, w);
    w->readable = event_new(w->pool->base, w->channel.control, EV_READ | EV_PERSIST, dispatch_on_message, w);
    return w->writable != NULL && w->readable != NULL && event_add(w->readable, NULL) == 0;
}

static void detach(struct worker_process *w)
{
    dialer_cancel(w);
    if (w->writable != NULL)
        event_free(w->writable);
    if (w->readable != NULL)
        event_free(w->readable);
    w->writable = w->readable = NULL;
    channel_close(&w->channel);
}

static void spawn(struct worker_process *w)
{
    struct pool *p = w->pool;
    struct channel worker_end;
    struct error why;
    if (!channel_pair(&w->channel, &worker_end, &why)) {
        log_error("worker %u cannot be started: %s", w->index, why.text);
        respawn_later(w, RESPAWN_MAX_MS / 10);
        return;
    }
    w->partial = 0;
    w->is_draining = p->drain != DRAIN_NONE;
    w->is_shut = w->is_killed = w->was_hung = false;
    w->started_ms = clock_monotonic_ms();
    atomic_store(&w->slot->alive_ms, (uint64_t)w->started_ms);
    atomic_store(&w->slot->denied_call, 0);
    atomic_store(&w->slot->activity, ACTIVITY_STARTING);
    pid_t master = getpid();
    p->owner->generation++;
    w->pid = fork();
    if (w->pid == 0)
        run_child(p, w, &worker_end, master);
    channel_close(&worker_end);
    if (w->pid < 0 || !attach(w)) {
        log_error("worker %u cannot be started: %s", w->index,
                  w->pid < 0 ? strerror(errno) : "out of memory");
        if (w->pid > 0)
            kill(w->pid, SIGKILL); /* reaped, and tried again */
        else
            w->pid = 0;
        detach(w);
        if (w->pid == 0)
            respawn_later(w, RESPAWN_MAX_MS / 10);
        return;
    }
    log_info("worker %u started, pid %d", w->index, (int)w->pid);
    p->hooks.started(p->hooks.arg, w->index);
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
    for (unsigned i = 0; i < workers; i++) {
        struct worker_process *w = &p->workers[i];
        evtimer_del(w->respawn);
        w->backoff_ms = 0;
        if (w->pid == 0)
            spawn(w);
    }
}

/* ---- ending ---- */

static void describe_end(const struct worker_process *w, int status, char *out, size_t out_bytes)
{
    int denied = atomic_load(&w->slot->denied_call);
    char call[SYSCALL_NAME_BYTES];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS && denied > 0)
        snprintf(out, out_bytes, "killed: system call %s is not allowed",
                 syscall_name(denied - 1, call, sizeof call));
    else if (WIFSIGNALED(status))
        snprintf(out, out_bytes, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(out, out_bytes, "exited with status %d", WEXITSTATUS(status));
}

/* A worker died while it was at work on frames. If it had only one, that one is to blame: two points where it fell by
 * itself or hung, one where somebody else killed it (the kernel out of memory, perhaps because of the frame). */
static void blame_frame(struct worker_process *w, int status)
{
    struct pool *p = w->pool;
    struct ledger *l = p->ledger;
    struct ledger_record r;
    if (ledger_outstanding_count(l, w->index) != 1 || atomic_load(&w->slot->activity) != ACTIVITY_ON_FRAMES ||
        !ledger_outstanding(l, w->index, &r) || r.verdict != VERDICT_NONE)
        return;
    if (p->condemned >= CONDEMNED_MAX) {
        log_error("worker %u died on frame seq %lld too, and none was written since %u were put aside: this is not the "
                  "frames' fault, nothing more is put aside", w->index, (long long)r.seq, p->condemned);
        return;
    }
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !w->was_hung;
    enum verdict verdict = w->was_hung ? VERDICT_HANG : WIFSIGNALED(status) ? VERDICT_SIGNAL : VERDICT_EXIT;
    int cause = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    unsigned points =
        ledger_blame(l, r.id, killed ? POINTS_KILLED : POINTS_OWN_DEATH, (uint8_t)verdict, (uint8_t)cause);
    if (points >= POISON_POINTS) {
        p->condemned++;
        log_error("frame seq %lld, %u bytes, is poison: worker %u died on it again; it goes to %s",
                  (long long)r.seq, (unsigned)r.len, w->index, p->config->dead_letters_key);
    } else
        log_warn("frame seq %lld, %u bytes: worker %u died while it had just this one (%u of %d points)",
                 (long long)r.seq, (unsigned)r.len, w->index, points, POISON_POINTS);
}

/* At once; where it keeps dying, later each time. */
static void restart(struct worker_process *w, pid_t pid, int status, size_t left)
{
    char end[96];
    describe_end(w, status, end, sizeof end);
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

static void on_worker_exit(struct worker_process *w, int status)
{
    struct pool *p = w->pool;
    dispatch_take_messages(w, UINT_MAX); /* acks that it sent before it died stand */
    bool orderly = w->is_draining && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (w->retry != 0)
        p->hooks.retried(p->hooks.arg, w->retry, false,
                         "its worker is gone, it may have died of it: look whether it is still there");
    w->retry = 0;
    pid_t pid = w->pid;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    bool died = !orderly && !w->is_killed && code != IPC_EXIT_TAKEN_OVER && code != IPC_EXIT_OBSOLETE &&
                code != IPC_EXIT_MARKS_LOST;
    if (died)
        blame_frame(w, status);
    detach(w);
    w->pid = 0;
    size_t left = ledger_unsend(p->ledger, w->index, died);
    w->partial = 0;
    if (orderly)
        log_info("worker %u, pid %d, has finished", w->index, (int)pid);
    /* Also on the way out: what these two tell is more than how one worker ended. */
    if (code == IPC_EXIT_TAKEN_OVER || code == IPC_EXIT_MARKS_LOST) {
        bool draining = p->drain != DRAIN_NONE;
        if (code == IPC_EXIT_TAKEN_OVER)
            p->hooks.taken_over(p->hooks.arg);
        else
            p->hooks.marks_lost(p->hooks.arg);
        if (draining && all_are_gone(p) && code != IPC_EXIT_TAKEN_OVER)
            p->hooks.drained(p->hooks.arg);
        return;
    }
    if (p->drain != DRAIN_NONE) {
        /* On the way out all of the ledger is to be written: who died on it is replaced once more, and so is one that
         * was leaving already when the way out began. */
        if (p->drain == DRAIN_EVERYTHING && ledger_queue_length(p->ledger, w->index) > 0) {
            if (orderly)
                spawn(w);
            else
                restart(w, pid, status, left);
            return;
        }
        if (all_are_gone(p))
            p->hooks.drained(p->hooks.arg);
        return;
    }
    if (orderly) /* pool_restart() */
        spawn(w);
    else
        restart(w, pid, status, left);
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

static void begin_drain(struct pool *p, enum drain drain)
{
    p->drain = drain;
    p->drain_ms = clock_monotonic_ms();
}

void pool_drain(struct pool *p, bool everything)
{
    begin_drain(p, everything ? DRAIN_EVERYTHING : DRAIN_SENT);
    for (unsigned i = 0; i < p->size; i++) {
        struct worker_process *w = &p->workers[i];
        evtimer_del(w->respawn);
        if (w->pid == 0 && everything && ledger_queue_length(p->ledger, i) > 0)
            spawn(w); /* or it is tried again later */
        w->is_draining = true;
        if (w->pid != 0)
            dispatch_send(w);
    }
    if (all_are_gone(p))
        p->hooks.drained(p->hooks.arg);
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
    pool_kill(p); /* the ledger is emptied: nothing is anybody's fault */
    if (all_are_gone(p))
        p->hooks.drained(p->hooks.arg);
}

void pool_hold(struct pool *p, bool is_held)
{
    bool released = p->is_held && !is_held;
    p->is_held = is_held;
    if (released)
        pool_feed(p);
}

bool pool_is_gone(const struct pool *p)
{
    return all_are_gone(p);
}
bool pool_is_draining(const struct pool *p)
{
    return p->drain != DRAIN_NONE;
}

void pool_kill(struct pool *p)
{
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        if (p->workers[i].pid != 0) {
            p->workers[i].is_killed = true;
            kill(p->workers[i].pid, SIGKILL);
        }
}

/* Who cannot finish what it was sent keeps a new configuration out, which may be what would help it (another Redis).
 * What it had is sent to its successor. */
static void check_drain(struct pool *p, int64_t now)
{
    if (p->drain != DRAIN_SENT || now - p->drain_ms < DRAIN_SENT_MAX_MS || all_are_gone(p))
        return;
    log_warn("workers that have not finished within %d s are killed; what they had is sent again",
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
        int64_t silent_ms = now - (int64_t)atomic_load_explicit(&w->slot->alive_ms, memory_order_relaxed);
        if (w->pid == 0 || silent_ms < p->config->worker_timeout)
            continue;
        log_error("worker %u, pid %d: no sign of life for %.1f s, killing it", i, (int)w->pid,
                  (double)silent_ms / 1000);
        w->was_hung = true;
        kill(w->pid, SIGKILL);
        atomic_store(&w->slot->alive_ms, (uint64_t)now); /* said once; SIGCHLD follows */
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
        w->slot = &counters->workers[i];
        w->channel = (struct channel){.data = -1, .control = -1};
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
        detach(w);
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

unsigned pool_size(const struct pool *p)
{
    return p->size;
}

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
