#include "config.h"

#include "session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 5000,
    CHECK_MS = 1000,
};

static const char *const state_names[] = {"offline", "connecting", "login", "ready"};

const char *session_state_name(const struct session *c) { return state_names[c->state]; }

static void enter(struct session *c, enum session_state state)
{
    if (state != c->state)
        log_debug("redis: %s -> %s", state_names[c->state], state_names[state]);
    c->state = state;
}

static void set_timer(struct session *c, int64_t ms)
{
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(c->timer, &after);
}

/* ---- trouble ---- */

/* The first word of an error of Redis says its kind; slots, keys and numbers behind it vary each time. */
static bool is_same_kind(const char *a, const char *b)
{
    size_t n = strcspn(a, " ");
    return strncmp(a, b, n + 1) == 0 || strcmp(a, b) == 0;
}

void session_forget_trouble(struct session *c)
{
    c->trouble.text[0] = '\0';
    c->throttle = (struct log_throttle){0};
}

void session_report(struct session *c, const char *what)
{
    char where[URL_PATH_BYTES + 16];
    if (is_same_kind("EXECABORT ", what) && c->trouble.text[0] != '\0')
        return; /* the reason was reported when the command was queued */
    if (!is_same_kind(c->trouble.text, what))
        session_forget_trouble(c); /* another kind of trouble gets a line of its own */
    error_set(&c->trouble, "%s", what);
    log_throttled(&c->throttle, LOG_LEVEL_WARN, "redis %s: %s%s", redis_address_text(&c->address, where, sizeof where),
                  what, redis_error_hint(what));
}

void session_recovered(struct session *c)
{
    if (!c->is_lost || redis_is_wrong_server(c->trouble.text))
        return; /* a replica answers questions, too: a write tells */
    c->is_lost = false;
    c->backoff_ms = BACKOFF_FIRST_MS;
    log_info("redis: connected again");
    session_forget_trouble(c);
}

static void drop(struct session *c)
{
    redis_dial_cancel(&c->dial);
    if (c->readable != NULL)
        event_free(c->readable);
    if (c->writable != NULL)
        event_free(c->writable);
    c->readable = c->writable = NULL;
    redis_client_stop(c->client);
    session_forget_calls(c);
    c->first = c->count = 0;
    c->hooks.lost(c->hooks.arg);
}

void session_lose(struct session *c, const char *why)
{
    drop(c);
    enter(c, SESSION_OFFLINE);
    c->is_lost = true;
    session_report(c, why);
    set_timer(c, c->backoff_ms);
    c->backoff_ms = c->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : c->backoff_ms * 2;
}

void session_lose_key(struct session *c, const char *error, const char *key)
{
    char why[ERROR_TEXT_BYTES];
    snprintf(why, sizeof why, "%.200s (key %.255s)", error, key);
    session_lose(c, why);
}

/* ---- asking ---- */

bool session_may_ask(const struct session *c) { return c->state == SESSION_READY && c->count < PENDING_MAX / 2; }

static void expect(struct session *c, struct pending pending)
{
    if (c->count == 0)
        c->asked_ms = clock_monotonic_ms();
    c->pending[(c->first + c->count++) % PENDING_MAX] = pending;
    event_active(c->writable, EV_WRITE, 0);
}

void session_ask(struct session *c, store_reply *on_reply, void *arg, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redis_client_command_list(c->client, format, args);
    va_end(args);
    expect(c, (struct pending){.on_reply = on_reply, .arg = arg});
}

void session_tell(struct session *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redis_client_command_list(c->client, format, args);
    va_end(args);
    expect(c, (struct pending){0});
}

void session_append(struct session *c, const struct buffer *resp, store_reply *on_reply, void *arg)
{
    redis_client_append(c->client, resp);
    expect(c, (struct pending){.on_reply = on_reply, .arg = arg});
}

void session_call(struct session *c, const struct buffer *resp, store_reply *on_reply, void *arg)
{
    redis_client_append(c->client, resp);
    expect(c, (struct pending){.on_reply = on_reply, .arg = arg, .is_call = true});
}

static void ignore(void *arg, const redisReply *reply)
{
    (void)arg;
    (void)reply;
}

void session_forget_calls(struct session *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct pending *p = &c->pending[(c->first + i) % PENDING_MAX], call = *p;
        if (!call.is_call)
            continue;
        *p = (struct pending){.on_reply = ignore};
        call.on_reply(call.arg, NULL);
    }
}

void session_note_run(struct session *c)
{
    const char *run = redis_client_sound_run(c->client);
    if (run[0] != '\0')
        session_tell(c, "HSET %s run %s", c->config->progress_key, run);
}

/* ---- answers ---- */

static void take_reply(struct session *c, const redisReply *reply)
{
    if (c->count == 0)
        return;
    struct pending p = c->pending[c->first];
    c->first = (c->first + 1) % PENDING_MAX;
    c->count--;
    c->asked_ms = clock_monotonic_ms();
    bool is_wrong = reply->type == REDIS_REPLY_ERROR && redis_is_wrong_server(reply->str);
    if (is_wrong && p.is_call)
        p.on_reply(p.arg, reply);
    if (is_wrong) /* another server may have its name by now */
        session_lose(c, reply->str);
    else if (p.on_reply != NULL)
        p.on_reply(p.arg, reply);
    else if (reply->type == REDIS_REPLY_ERROR)
        session_report(c, reply->str);
    if (c->state == SESSION_READY)
        c->hooks.answered(c->hooks.arg);
}

static void progress(struct session *c)
{
    struct error why;
    if (!redis_client_progress(c->client, &why)) {
        session_lose(c, why.text);
        return;
    }
    if (c->state == SESSION_LOGIN && redis_client_is_ready(c->client)) {
        enter(c, SESSION_READY);
        set_timer(c, CHECK_MS);
        c->hooks.ready(c->hooks.arg);
    }
    while (c->state == SESSION_READY) {
        redisReply *reply;
        if (!redis_client_reply(c->client, &reply, &why)) {
            session_lose(c, why.text);
            return;
        }
        if (reply == NULL)
            break;
        take_reply(c, reply);
        freeReplyObject(reply);
    }
    if (c->writable != NULL && (redis_client_wants(c->client) & POLLOUT))
        event_add(c->writable, NULL);
}

/* ---- connecting ---- */

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    progress(arg);
}

static void on_connected(void *arg, int fd, const struct error *failure)
{
    struct session *c = arg;
    struct error why;
    redis_dial_end(&c->dial);
    if (fd < 0) {
        session_lose(c, failure->text);
        return;
    }
    const char *run_key = c->config->redis_rewrite_aof ? c->config->progress_key : NULL;
    if (!redis_client_start(c->client, fd, &c->address, "firehosed-master", run_key, &why)) {
        session_lose(c, why.text);
        return;
    }
    c->readable = event_new(c->base, fd, EV_READ | EV_PERSIST, on_ready, c);
    c->writable = event_new(c->base, fd, EV_WRITE, on_ready, c);
    if (c->readable == NULL || c->writable == NULL || event_add(c->readable, NULL) < 0) {
        session_lose(c, "out of memory");
        return;
    }
    enter(c, SESSION_LOGIN);
    c->asked_ms = clock_monotonic_ms();
    set_timer(c, CHECK_MS);
    progress(c);
}

static void connect_now(struct session *c)
{
    struct error why;
    if (!redis_address_set(&c->address, c->config, &why)) {
        session_lose(c, why.text);
        return;
    }
    enter(c, SESSION_CONNECTING);
    if (!redis_dial_start(&c->dial, c->base, c->dns, c->config, on_connected, c, &why))
        session_lose(c, why.text);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct session *c = arg;
    bool is_owed = c->state == SESSION_LOGIN || (c->state == SESSION_READY && c->count > 0);
    if (c->state == SESSION_OFFLINE)
        connect_now(c);
    else if (is_owed && clock_monotonic_ms() - c->asked_ms >= c->config->redis_reply_timeout)
        session_lose(c, "no answer within redis_reply_timeout");
    else
        set_timer(c, CHECK_MS);
}

void session_open(struct session *c)
{
    drop(c);
    c->backoff_ms = BACKOFF_FIRST_MS;
    connect_now(c);
}

bool session_init(struct session *c, struct event_base *base, struct evdns_base *dns,
                     const struct config *config, const struct session_hooks *hooks)
{
    *c = (struct session){.base = base, .dns = dns, .config = config, .hooks = *hooks};
    c->client = redis_client_new();
    c->timer = evtimer_new(base, on_timer, c);
    return c->client != NULL && c->timer != NULL;
}

void session_fini(struct session *c)
{
    if (c->client != NULL)
        drop(c);
    redis_client_free(c->client);
    if (c->timer != NULL)
        event_free(c->timer);
    redis_address_fini(&c->address);
}
