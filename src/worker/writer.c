#include "config.h"

#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MAX_MS = 5000,
    MASTER_MAX_MS = 5000, /* for an answer of the master, beside what connecting may take */
};

/* The one place where the state changes. */
static void enter(struct writer *w, enum writer_state state)
{
    static const char *const names[] = {"offline", "asked", "login", "fencing", "idle", "in flight", "retry"};
    if (state != w->state && (state == WRITER_OFFLINE || w->state < WRITER_IDLE))
        log_debug("redis: %s -> %s", names[w->state], names[state]);
    w->state = state;
}

static void back_off(struct writer *w, enum writer_state state)
{
    w->deadline_ms = clock_monotonic_ms() + w->backoff_ms;
    w->backoff_ms = w->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : w->backoff_ms * 2;
    enter(w, state);
}

/* Reports trouble, once a minute at most if it repeats, and remembers to report its end. */
static void report_trouble(struct writer *w, const char *what)
{
    char where[URL_HOST_BYTES + 16];
    log_throttled(&w->trouble, LOG_LEVEL_WARN, "redis %s: %s%s", redis_address_text(&w->address, where, sizeof where),
                  what, redis_error_hint(what));
    worker_slot_set(w->slot, w->state >= WRITER_IDLE ? WORKER_RETRYING : WORKER_CONNECTING, what);
    w->in_trouble = true;
}

static void report_recovery(struct writer *w)
{
    worker_slot_set(w->slot, WORKER_READY, "");
    w->backoff_ms = BACKOFF_FIRST_MS;
    if (!w->in_trouble)
        return;
    w->in_trouble = false;
    w->trouble = (struct log_throttle){0};
    char where[URL_HOST_BYTES + 16];
    log_info("redis %s: writing again", redis_address_text(&w->address, where, sizeof where));
}

bool writer_init(struct writer *w, const struct worker_setup *setup, const struct channel *channel, writer_done *done,
                 void *arg, struct error *why)
{
    const struct config *config = setup->config;
    *w = (struct writer){
        .config = config,
        .channel = channel,
        .slot = setup->slot,
        .done = done,
        .arg = arg,
        .known = setup->known,
        .owner = setup->owner,
        .progress_key = setup->progress_key,
        .backoff_ms = BACKOFF_FIRST_MS,
    };
    owner_key(config->owner_key, setup->index, w->owner_key);
    fencing_init(&w->fencing, setup, w->owner_key);
    snprintf(w->name, sizeof w->name, "firehosed-worker-%u", setup->index);
    if (!redis_address_set(&w->address, config, why))
        return false;
    /* All authorities now: no file can be opened when a certificate is to be checked. */
    if (w->address.tls != NULL && !tls_read_authorities(w->address.tls, why))
        return false;
    w->client = redis_client_new();
    if (w->client == NULL)
        error_set(why, "out of memory");
    return w->client != NULL;
}

void writer_fini(struct writer *w)
{
    redis_client_free(w->client);
    free(w->failed);
    redis_address_fini(&w->address);
    fencing_fini(&w->fencing);
}

static void ask_for_connection(struct writer *w)
{
    const struct ipc_message ask = {.type = IPC_WANT_REDIS};
    worker_slot_set(w->slot, WORKER_CONNECTING, NULL);
    if (channel_send(w->channel, &ask, -1) == IPC_OK) {
        enter(w, WRITER_ASKED);
        w->deadline_ms = clock_monotonic_ms() + w->config->redis_connect_timeout + MASTER_MAX_MS;
    } else {
        back_off(w, WRITER_OFFLINE); /* the master is busy; if it is gone, the loop sees that itself */
    }
}

/* The batch has ended. Nothing of it is kept when the caller learns of that. */
static void end_batch(struct writer *w, bool is_committed)
{
    struct batch *batch = w->batch;
    w->batch = NULL;
    for (int p = 0; p < PARTITIONS && is_committed; p++)
        if (batch->touched >> p & 1)
            atomic_store_explicit(&w->known->seq[p], batch->marks.seq[p], memory_order_relaxed);
    w->done(w->arg, batch, is_committed);
}

static void lose(struct writer *w, const char *why)
{
    redis_client_stop(w->client);
    if (w->batch != NULL && w->batch->is_retry)
        end_batch(w, false); /* no mark tells whether it was executed: the entry in the dead letters does */
    back_off(w, WRITER_OFFLINE);
    report_trouble(w, why);
}

void writer_connected(struct writer *w, int fd)
{
    struct error why;
    const char *run_key = w->config->redis_rewrite_aof ? w->config->progress_key : NULL;
    if (!redis_client_start(w->client, fd, &w->address, w->name, run_key, &why)) {
        lose(w, why.text);
        return;
    }
    fencing_connected(&w->fencing);
    enter(w, WRITER_LOGIN);
    w->deadline_ms = clock_monotonic_ms() + w->config->redis_reply_timeout;
    counter_add(w->slot, COUNTER_REDIS_CONNECTS, 1);
    writer_on_ready(w);
}

void writer_refused(struct writer *w, const char *reason) { lose(w, reason); }

static void send_batch(struct writer *w)
{
    w->replies = 0;
    w->failure.text[0] = '\0';
    w->sent_us = clock_unix_us();
    w->deadline_ms = clock_monotonic_ms() + w->config->redis_reply_timeout;
    redis_client_send(w->client, w->batch->out.data, w->batch->out.len);
    enter(w, WRITER_IN_FLIGHT);
    writer_on_ready(w);
}

void writer_submit(struct writer *w, struct batch *batch)
{
    w->batch = batch;
    send_batch(w);
}

static void note_failure(struct writer *w, const char *text)
{
    if (w->failure.text[0] == '\0')
        error_set(&w->failure, "%s", text);
}

static void retry_later(struct writer *w, const char *why)
{
    if (redis_is_wrong_server(why)) { /* another server may have its name by now */
        lose(w, why);
        return;
    }
    back_off(w, WRITER_RETRY);
    report_trouble(w, why);
}

/* ---- fencing ---- */

static void send_question(struct writer *w)
{
    enter(w, WRITER_FENCING);
    w->deadline_ms = clock_monotonic_ms() + w->config->redis_reply_timeout;
    if (w->fencing.request.failed)
        lose(w, "out of memory");
    else
        redis_client_send(w->client, w->fencing.request.data, w->fencing.request.len);
}

static void begin_fencing(struct writer *w)
{
    fencing_begin(&w->fencing);
    send_question(w);
}

static void go_on(struct writer *w)
{
    enter(w, WRITER_IDLE);
    if (w->batch != NULL) {
        counter_add(w->slot, COUNTER_RETRIES, 1);
        send_batch(w);
    } else {
        report_recovery(w);
    }
}

static void on_fencing_reply(struct writer *w, const redisReply *reply)
{
    const struct fencing_decision d = fencing_take(&w->fencing, reply, w->batch);
    switch (d.step) {
    case FENCING_WAIT:
        return;
    case FENCING_TAKE_SLOT:
    case FENCING_WRITE_MARKS:
        send_question(w);
        return;
    case FENCING_RETRY_LATER:
        retry_later(w, w->fencing.failure.text);
        return;
    case FENCING_LEAVE:
        exit(d.exit_status);
    case FENCING_GO_ON_COMMITTED:
        end_batch(w, true);
        break;
    case FENCING_GO_ON:
        break;
    }
    go_on(w);
}

/* ---- transactions ---- */

/* Some commands failed alone (WRONGTYPE): the others stand, and so do the marks. Only the failed ones are sent again.
 * */
static void take_errors(struct writer *w, const redisReply *reply)
{
    bool any = false;
    for (size_t i = 0; i < reply->elements && !any; i++)
        any = reply->element[i]->type == REDIS_REPLY_ERROR;
    if (!any)
        return;
    free(w->failed);
    w->failed = calloc(reply->elements, sizeof *w->failed);
    for (size_t i = 0; i < reply->elements; i++) {
        if (reply->element[i]->type != REDIS_REPLY_ERROR)
            continue;
        note_failure(w, reply->element[i]->str);
        if (w->failed != NULL)
            w->failed[i] = true;
    }
    fencing_must_repair(&w->fencing, &w->failure);
}

#define OWNER_CHANGED "EXEC was not executed: the owner has changed"

/* EXEC's answer. The first error that was queued explains an EXECABORT better than itself. */
static void take_results(struct writer *w, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ARRAY) {
        if (reply->elements != batch_results(w->batch))
            note_failure(w, "EXEC answered another number of commands than were sent");
        else
            take_errors(w, reply);
    } else if (reply->type == REDIS_REPLY_NIL) {
        note_failure(w, OWNER_CHANGED);
    }
}

/* All answers to the transaction are there, with those to the guard of the next one. */
static void finish_transaction(struct writer *w, const redisReply *owner)
{
    char mine[OWNER_TOKEN_BYTES];
    owner_format(&w->owner, mine);
    if (w->fencing.found.must_repair) {
        if (w->failed != NULL) /* else all of it again: twice is better than never */
            batch_keep_failed(w->batch, w->failed);
        free(w->failed);
        w->failed = NULL;
        begin_fencing(w); /* at once: until the marks are put back, a successor would take the events for written */
        return;
    }
    if (owner->type == REDIS_REPLY_NIL && strcmp(w->failure.text, OWNER_CHANGED) == 0)
        error_set(&w->failure, "EXEC was not executed: %s is gone: somebody has deleted it, or Redis has evicted it",
                  w->owner_key);
    if (w->failure.text[0] != '\0') {
        retry_later(w, w->failure.text);
        return;
    }
    atomic_store_explicit(&w->slot->round_trip_us, (uint64_t)(clock_unix_us() - w->sent_us),
                          memory_order_relaxed);
    enter(w, WRITER_IDLE);
    end_batch(w, true);
    report_recovery(w);
    /* The guard of the next transaction is armed only if the slot was still ours after WATCH. */
    if (owner->type != REDIS_REPLY_STRING || strcmp(owner->str, mine) != 0)
        begin_fencing(w);
}

static void on_transaction_reply(struct writer *w, const redisReply *reply)
{
    size_t exec = batch_exec_reply(w->batch), i = w->replies++;
    if (reply->type == REDIS_REPLY_ERROR)
        note_failure(w, reply->str);
    if (i == exec)
        take_results(w, reply);
    else if (i == exec + BATCH_GUARD_REPLIES)
        finish_transaction(w, reply);
}

static void on_reply(struct writer *w, const redisReply *reply)
{
    if (w->state == WRITER_IN_FLIGHT)
        on_transaction_reply(w, reply);
    else if (w->state == WRITER_FENCING)
        on_fencing_reply(w, reply);
}

/* Steps over answers that only say that all is well, n of each; any other is left for on_reply(). */
static void skip_good_replies(struct writer *w)
{
    if (w->state != WRITER_IN_FLIGHT)
        return;
    size_t exec = batch_exec_reply(w->batch);
    if (w->replies > 0 && w->replies < exec)
        w->replies += redis_client_skip_status(w->client, "QUEUED", exec - w->replies);
    if (w->replies == exec && redis_client_skip_array(w->client, batch_results(w->batch)))
        w->replies++;
}

void writer_on_ready(struct writer *w)
{
    struct error why;
    if (!redis_client_progress(w->client, &why)) {
        lose(w, why.text);
        return;
    }
    if (w->state == WRITER_LOGIN && redis_client_is_ready(w->client)) {
        begin_fencing(w);
        return;
    }
    for (redisReply *reply;;) {
        skip_good_replies(w);
        if (!redis_client_reply(w->client, &reply, &why)) {
            lose(w, why.text);
            return;
        }
        if (reply == NULL)
            return;
        on_reply(w, reply);
        freeReplyObject(reply);
    }
}

int writer_fd(const struct writer *w, short *events)
{
    *events = redis_client_wants(w->client);
    return redis_client_is_open(w->client) ? redis_client_fd(w->client) : -1;
}

int writer_on_time(struct writer *w, int64_t now_ms)
{
    if (w->state == WRITER_IDLE)
        return -1;
    if (now_ms < w->deadline_ms)
        return (int)(w->deadline_ms - now_ms);
    switch (w->state) {
    case WRITER_OFFLINE:
        ask_for_connection(w);
        break;
    case WRITER_RETRY:
        begin_fencing(w);
        break;
    case WRITER_ASKED: /* the answer can be lost, where there is no memory for it */
        lose(w, "no connection from the master");
        break;
    default:
        lose(w, "no answer within redis_reply_timeout");
        break;
    }
    return 0;
}
