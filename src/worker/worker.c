/* worker.c: the worker's one loop. Everything that it may do is here: read frames, decode them into the next batch,
 * write batches, ack them, obey the master. */
#include "config.h"

#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/batch.h"
#include "worker/intake.h"
#include "worker/sandbox.h"
#include "retry.h"
#include "taps.h"
#include "writer.h"

enum { IDLE_TURN_MS = 1000 }; /* the longest sleep: log_tick() wants its turn */

struct worker {
    const struct config *config;
    struct channel channel;
    struct worker_slot *slot;
    struct intake intake;
    struct marks marks; /* the last seq of each partition that is in a batch, or in Redis */
    bool has_marks;
    struct event_encoder *encoder;
    struct collections *wanted, *unwanted;
    struct batch_format format;
    struct batch batches[2];
    unsigned building; /* the batch that frames are added to; the other one may be in flight */
    struct writer writer;
    struct retry retry;
    struct taps taps;
    struct timing timing;
    struct ipc_message ack; /* id 0: none; else the control pair had no room for it yet */
    bool owes_pong;
    struct log_throttle refusals, drops, memory;
    struct event event; /* large: not on the stack of each call */
};

static struct batch *building(struct worker *w) { return &w->batches[w->building]; }

static bool building_is_full(struct worker *w)
{
    const struct batch *b = building(w);
    return b->frames >= (size_t)w->config->batch_events || b->out.len >= (size_t)w->config->batch_size;
}

/* ---- what happened to a frame, in words ---- */

static void report_event(struct worker *w, enum event_outcome outcome, const struct frame_ref *ref)
{
    const struct event *e = &w->event;
    if (outcome == EVENT_REFUSED) {
        log_throttled(&w->refusals, LOG_LEVEL_WARN, "frame seq %lld refused, kept in %s: %s at byte %zu",
                      (long long)ref->seq, w->config->dead_letters_key, e->violation.rule,
                      e->violation.offset);
    } else if (outcome == EVENT_READY && e->has_drop && log_get_level() <= LOG_LEVEL_DEBUG) {
        const struct frame_op *op = &e->frame.ops[e->first_drop_op];
        log_throttled(&w->drops, LOG_LEVEL_DEBUG, "frame seq %lld: op on %.*s left out: %s: %s at byte %zu",
                      (long long)ref->seq, (int)op->path.len, (const char *)op->path.ptr,
                      op_drop_name(e->first_drop), e->first_drop_why.rule, e->first_drop_why.offset);
    }
}

/* ---- the way of a frame ---- */

/* Without the marks nobody can tell which events are in the stream already. */
static bool learn_marks(struct worker *w)
{
    if (!w->has_marks && w->writer.fencing.has_marks) {
        w->marks = w->writer.fencing.found.marks;
        w->has_marks = true;
    }
    return w->has_marks;
}

static bool is_written(const struct worker *w, const struct frame_ref *ref)
{
    return ref->seq > 0 && ref->verdict != VERDICT_IMPLAUSIBLE &&
           ref->seq <= w->marks.seq[ref->partition % PARTITIONS];
}

/* Decodes frames that have arrived into the building batch, until it is full. */
static void decode_arrived(struct worker *w)
{
    struct frame_ref ref;
    const uint8_t *frame;
    if (!learn_marks(w))
        return;
    while (!building_is_full(w) && intake_peek(&w->intake, &ref, &frame)) {
        enum event_outcome outcome = EVENT_REFUSED; /* of one that is condemned unread */
        if (is_written(w, &ref)) {
            batch_add_duplicate(building(w), &ref);
            intake_drop(&w->intake);
            continue;
        }
        bool added = ref.verdict != VERDICT_NONE
                         ? batch_add_condemned(building(w), &w->format, &ref, frame)
                         : batch_add(building(w), &w->format, w->encoder, &ref, frame, &w->event, &outcome);
        if (!added) {
            /* There is no memory for this event now: after the batch has left there may be. */
            log_throttled(&w->memory, LOG_LEVEL_ERROR, "frame seq %lld: out of memory, waiting",
                          (long long)ref.seq);
            return;
        }
        if (ref.seq > 0 && ref.verdict != VERDICT_IMPLAUSIBLE)
            w->marks.seq[ref.partition % PARTITIONS] = ref.seq;
        if (ref.verdict == VERDICT_NONE && outcome != EVENT_FILTERED)
            report_event(w, outcome, &ref);
        if (w->taps.count > 0 && outcome == EVENT_READY)
            taps_see(&w->taps, &w->event.frame, building(w)->out.data + building(w)->json_at, building(w)->json_len);
        intake_drop(&w->intake);
    }
}

static void send_ack(struct worker *w)
{
    if (w->ack.id != 0 && channel_send(&w->channel, &w->ack, -1) != IPC_AGAIN)
        w->ack = (struct ipc_message){.type = IPC_ACK};
}

static void send_pong(struct worker *w)
{
    const struct ipc_message pong = {.type = IPC_PONG};
    if (w->owes_pong && channel_send(&w->channel, &pong, -1) != IPC_AGAIN)
        w->owes_pong = false;
}

/* The batch is in Redis (or there was nothing to write): it counts, and the master is told. */
static void account_for(struct worker *w, const struct batch *b)
{
    _Static_assert((int)COUNTERS <= (int)IPC_COUNTS, "an ack has room for all counters");
    w->ack.type = IPC_ACK;
    w->ack.id = b->last_id;
    for (unsigned c = 0; c < COUNTERS; c++)
        w->ack.counts[c] += (uint32_t)b->counts[c];
    if (b->commands > 0) {
        counter_add(w->slot, COUNTER_BATCHES, 1);
        counter_add(w->slot, COUNTER_BYTES_WRITTEN, b->out.len);
        atomic_store_explicit(&w->slot->batch_events, b->commands, memory_order_relaxed);
    }
    timing_committed(&w->timing, &b->times, clock_unix_us(), w->slot);
    send_ack(w);
}

/* A dead letter that is tried again goes between two batches. */
static void write_retry(struct worker *w)
{
    if (retry_waits(&w->retry) && writer_is_idle(&w->writer) && w->has_marks &&
        retry_prepare(&w->retry, &w->format, w->encoder, &w->event, w->config->dead_letters_key)) {
        batch_finish(&w->retry.batch, w->config->progress_key, w->writer.owner_key);
        writer_submit(&w->writer, &w->retry.batch);
    }
    retry_send_answer(&w->retry, &w->channel);
}

static void on_batch_done(void *arg, struct batch *batch, bool is_committed)
{
    struct worker *w = arg;
    if (batch != &w->retry.batch)
        account_for(w, batch);
    else
        retry_end(&w->retry, is_committed,
                  is_committed ? "" : "the connection to Redis broke: look whether it is still there");
}

/* Moves batches on: the next one leaves if none is in flight. */
static void send_ready(struct worker *w)
{
    write_retry(w);
    while (writer_is_idle(&w->writer) && building(w)->frames > 0) {
        struct batch *b = building(w);
        w->building = !w->building;
        batch_begin(building(w));
        if (b->commands == 0) { /* all filtered */
            account_for(w, b);
            continue;
        }
        batch_finish(b, w->writer.progress_key, w->writer.owner_key);
        writer_submit(&w->writer, b);
    }
}

static bool all_is_done(const struct worker *w)
{
    /* Frames may have come, and the end behind them, before the marks were read: then nothing is decoded yet. */
    return w->intake.ended && intake_is_empty(&w->intake) && w->batches[w->building].frames == 0 &&
           w->writer.batch == NULL && w->ack.id == 0;
}

/* ---- the master's messages ---- */

static void on_message(struct worker *w, const struct ipc_message *m, int fd)
{
    switch (m->type) {
    case IPC_REDIS_CONNECTED:
        writer_connected(&w->writer, fd);
        return;
    case IPC_REDIS_FAILED:
        writer_refused(&w->writer, m->text);
        return;
    case IPC_LOG_LEVEL:
        log_set_level((enum log_level)m->value);
        return;
    case IPC_RETRY:
        retry_take(&w->retry, m, fd);
        return;
    case IPC_TAP:
        taps_set(&w->taps, m, fd);
        return;
    case IPC_PING:
        w->owes_pong = true;
        return;
    default:
        log_error("message %u from the master is not known", m->type);
        if (fd >= 0)
            close(fd);
    }
}

static void on_control(struct worker *w)
{
    struct ipc_message m;
    int fd;
    for (;;) {
        switch (channel_receive(&w->channel, &m, &fd)) {
        case IPC_OK:
            on_message(w, &m, fd);
            break;
        case IPC_AGAIN:
            return;
        case IPC_GONE:
        case IPC_BROKEN:
            log_debug("the master is gone");
            exit(0);
        }
    }
}

static void on_data(struct worker *w)
{
    if (!intake_read(&w->intake, w->channel.data)) {
        log_error("channel: %s", strerror(errno));
        exit(1);
    }
    if (w->intake.ended)
        worker_slot_set(w->slot, WORKER_DRAINING, NULL);
}

/* ---- the loop ---- */

static void set_activity(struct worker *w, enum worker_activity activity)
{
    atomic_store_explicit(&w->slot->activity, (int)activity, memory_order_relaxed);
}

/* Both batches may be full; or nothing can be decoded now, as marks or memory are missing. */
static bool takes_more(struct worker *w)
{
    return !w->intake.ended && !building_is_full(w) && !intake_is_full(&w->intake);
}

/* Waits for whatever may come next, and takes it. */
static void turn(struct worker *w)
{
    enum { CONTROL, DATA, REDIS, COUNT };
    struct pollfd fds[COUNT] = {
        [CONTROL] = {.fd = w->channel.control, .events = POLLIN},
        /* Back-pressure: frames that the worker cannot take wait in the channel and in the ring. */
        [DATA] = {.fd = takes_more(w) ? w->channel.data : -1, .events = POLLIN},
    };
    fds[REDIS].fd = writer_fd(&w->writer, &fds[REDIS].events);
    if (w->ack.id != 0 || w->retry.has_answer || w->owes_pong)
        fds[CONTROL].events |= POLLOUT;
    int wait_ms = writer_on_time(&w->writer, clock_monotonic_ms());
    if (wait_ms < 0 || wait_ms > IDLE_TURN_MS)
        wait_ms = IDLE_TURN_MS;
    /* If Redis answered while the next batch was decoded, nothing is in flight whose answer would call for that batch.
     * */
    if (writer_is_idle(&w->writer) && building(w)->frames > 0)
        wait_ms = 0;
    set_activity(w, ACTIVITY_WAITING);
    int ready = poll(fds, COUNT, wait_ms);
    set_activity(w, ACTIVITY_TALKING);
    if (ready < 0 && errno != EINTR) {
        log_error("poll: %s", strerror(errno));
        exit(1);
    }
    log_tick();
    if (fds[CONTROL].revents & (POLLIN | POLLHUP | POLLERR))
        on_control(w);
    send_ack(w);
    send_pong(w);
    /* on_control() may have replaced the connection: only what was polled is taken for ready. */
    if (fds[REDIS].revents != 0 && redis_client_is_open(w->writer.client))
        writer_on_ready(&w->writer);
    set_activity(w, ACTIVITY_ON_FRAMES);
    if (fds[DATA].revents != 0)
        on_data(w);
}

/* The master takes the signals. A terminal's Ctrl-C or a service manager's SIGTERM reaches all processes, and a worker
 * that ended by itself would disturb an orderly end. It leaves when its channel is shut. */
static void take_no_signals(pid_t master)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGQUIT};
    sigset_t none;
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* A worker that hangs would not see the end of its channel. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != master)
        exit(0);
}

/* The worker leaves out unwanted collections, undecoded; the master filters by kind and DID. */
static bool set_filter(struct worker *w, struct error *why)
{
    w->wanted = collections_new(w->config->collections, why);
    w->unwanted = w->wanted != NULL ? collections_new(w->config->exclude_collections, why) : NULL;
    if (w->unwanted == NULL)
        return false;
    event_encoder_set_filter(w->encoder, &(struct collection_filter){w->wanted, w->unwanted});
    event_encoder_set_sync(w->encoder, w->config->emit_sync);
    event_encoder_set_limits(w->encoder, (struct event_limits){.max_bytes = (size_t)w->config->event_max_size,
                                                               .max_growth = (size_t)w->config->event_max_growth});
    return true;
}

static bool set_up(struct worker *w, const struct worker_setup *setup, struct error *why)
{
    *w = (struct worker){.config = setup->config, .channel = setup->channel, .slot = setup->slot};
    intake_init(&w->intake, &setup->ring);
    taps_init(&w->taps);
    batch_init(&w->batches[0]);
    batch_init(&w->batches[1]);
    retry_init(&w->retry);
    w->encoder = event_encoder_new((enum event_format)setup->config->event_format);
    if (w->encoder == NULL || !batch_format_init(&w->format, setup->config)) {
        error_set(why, "out of memory");
        return false;
    }
    if (!set_filter(w, why) || !writer_init(&w->writer, setup, &w->channel, on_batch_done, w, why))
        return false;
    if (sandbox_enter(setup->config, setup->slot, why))
        return true;
    error_context(why, "sandbox");
    return false;
}

void worker_run(const struct worker_setup *setup)
{
    static struct worker the_worker; /* the one context of this process */
    char name[16];
    snprintf(name, sizeof name, "worker-%u", setup->index);
    log_name(name);
    log_forward(setup->channel.log);
    sandbox_take_streams(setup->channel.log);
    prctl(PR_SET_NAME, name);
    take_no_signals(setup->master);
    worker_slot_set(setup->slot, WORKER_STARTING, "");

    struct error why;
    struct worker *w = &the_worker;
    if (!set_up(w, setup, &why)) {
        log_error("cannot start: %s", why.text);
        exit(1);
    }
    while (!all_is_done(w)) {
        turn(w);
        decode_arrived(w);
        set_activity(w, ACTIVITY_TALKING); /* no frame can cause a death here */
        send_ready(w);
        if (w->taps.count > 0)
            taps_tell_left_out(&w->taps);
        set_activity(w, ACTIVITY_ON_FRAMES);
        decode_arrived(w); /* the next batch is prepared while Redis executes this one */
    }
    log_debug("all is committed, leaving");
    exit(0);
}
