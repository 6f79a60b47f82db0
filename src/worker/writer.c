#include "config.h"

#include "writer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { BACKOFF_FIRST_MS = 50, BACKOFF_MAX_MS = 5000 };

/* The one place where the state changes. */
static void enter(struct writer *w, enum writer_state state)
{
    static const char *const names[] = {"offline", "asked", "login", "idle", "in flight", "retry"};
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

/* Says what is wrong, once a minute at most where it repeats, and remembers to say when it is over. */
static void report_trouble(struct writer *w, const char *what)
{
    char where[URL_HOST_BYTES + 16];
    log_throttled(&w->trouble, LOG_LEVEL_WARN, "redis %s: %s", url_authority(&w->url, where, sizeof where), what);
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
    log_info("redis %s: writing again", url_authority(&w->url, where, sizeof where));
}

bool writer_init(struct writer *w, unsigned index, const struct config *config, const struct channel *channel,
                 struct worker_slot *slot, struct error *why)
{
    *w = (struct writer){.config = config, .channel = channel, .slot = slot, .backoff_ms = BACKOFF_FIRST_MS};
    snprintf(w->name, sizeof w->name, "firehosed-worker-%u", index);
    if (!url_parse(config->redis, &w->url, why))
        return false;
    if (url_is_tls(&w->url) && (w->tls = tls_client_new(config->redis_ca_file, why)) == NULL)
        return false;
    w->client = redis_client_new();
    if (w->client == NULL)
        error_set(why, "out of memory");
    return w->client != NULL;
}

void writer_fini(struct writer *w)
{
    redis_client_free(w->client);
    tls_free(w->tls);
}

static void ask_for_connection(struct writer *w)
{
    const struct ipc_message ask = {.type = IPC_WANT_REDIS};
    worker_slot_set(w->slot, WORKER_CONNECTING, NULL);
    if (channel_send(w->channel, &ask, -1) == IPC_OK)
        enter(w, WRITER_ASKED);
    else
        back_off(w, WRITER_OFFLINE); /* the master is busy; if it is gone, the loop sees that itself */
}

static void lose_connection(struct writer *w, const char *why)
{
    redis_client_stop(w->client);
    back_off(w, WRITER_OFFLINE);
    report_trouble(w, why);
}

void writer_connected(struct writer *w, int fd)
{
    struct error why;
    if (!redis_client_start(w->client, fd, w->tls, &w->url, w->name, &why)) {
        lose_connection(w, why.text);
        return;
    }
    enter(w, WRITER_LOGIN);
    w->deadline_ms = clock_monotonic_ms() + w->config->redis_reply_timeout;
    counter_add(w->slot, COUNTER_REDIS_CONNECTS, 1);
    writer_on_ready(w);
}

void writer_refused(struct writer *w, const char *reason) { lose_connection(w, reason); }

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

/* EXEC's answer. The first error that was queued explains an EXECABORT better than itself. */
static void finish_transaction(struct writer *w, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ARRAY) {
        for (size_t i = 0; i < reply->elements; i++)
            if (reply->element[i]->type == REDIS_REPLY_ERROR)
                note_failure(w, reply->element[i]->str);
        if (reply->elements != w->batch->commands)
            note_failure(w, "EXEC answered another number of commands than were sent");
    } else if (reply->type != REDIS_REPLY_ERROR) {
        note_failure(w, "EXEC did not execute");
    }
    if (w->failure.text[0] != '\0') {
        counter_add(w->slot, COUNTER_RETRIES, 1);
        back_off(w, WRITER_RETRY);
        report_trouble(w, w->failure.text);
        return;
    }
    atomic_store_explicit(&w->slot->round_trip_us, (uint64_t)(clock_unix_us() - w->sent_us), memory_order_relaxed);
    w->batch = NULL;
    w->committed = true;
    enter(w, WRITER_IDLE);
    report_recovery(w);
}

static void on_reply(struct writer *w, const redisReply *reply)
{
    if (w->state != WRITER_IN_FLIGHT)
        return; /* nothing was asked: a server that talks out of turn is caught by the count below */
    if (reply->type == REDIS_REPLY_ERROR)
        note_failure(w, reply->str);
    if (++w->replies == batch_replies(w->batch))
        finish_transaction(w, reply);
}

void writer_on_ready(struct writer *w)
{
    struct error why;
    if (!redis_client_progress(w->client, &why)) {
        lose_connection(w, why.text);
        return;
    }
    if (w->state == WRITER_LOGIN && redis_client_is_ready(w->client)) {
        enter(w, WRITER_IDLE);
        if (w->batch != NULL) {
            counter_add(w->slot, COUNTER_RETRIES, 1);
            send_batch(w);
            return;
        }
        report_recovery(w);
    }
    for (redisReply *reply;;) {
        if (!redis_client_reply(w->client, &reply, &why)) {
            lose_connection(w, why.text);
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
    if (w->state == WRITER_IDLE || w->state == WRITER_ASKED)
        return -1;
    if (now_ms < w->deadline_ms)
        return (int)(w->deadline_ms - now_ms);
    switch (w->state) {
    case WRITER_OFFLINE:
        ask_for_connection(w);
        break;
    case WRITER_RETRY:
        send_batch(w);
        break;
    default:
        lose_connection(w, "no answer within redis_reply_timeout");
        break;
    }
    return w->state == WRITER_ASKED ? -1 : 0;
}
