#include "config.h"

#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store_internal.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 5000,
    CHECK_MS = 1000,
};

static const char *const state_names[] = {"offline", "connecting", "login", "ready"};

static void enter(struct store *s, enum store_state state)
{
    if (state != s->state)
        log_debug("redis: %s -> %s", state_names[s->state], state_names[state]);
    s->state = state;
}

static void set_timer(struct store *s, int64_t ms)
{
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(s->timer, &after);
}

/* Redis' errors begin with a word that says what kind they are; slots, keys and numbers behind it vary each time. */
static bool is_same_kind(const char *a, const char *b)
{
    size_t n = strcspn(a, " ");
    return strncmp(a, b, n + 1) == 0 || strcmp(a, b) == 0;
}

static void report(struct store *s, const char *what)
{
    char where[URL_PATH_BYTES + 16];
    if (is_same_kind("EXECABORT ", what) && s->trouble.text[0] != '\0')
        return; /* the reason for it was reported when it was queued */
    if (!is_same_kind(s->trouble.text, what))
        s->throttle = (struct log_throttle){0}; /* another trouble than before: worth a line of its own */
    error_set(&s->trouble, "%s", what);
    log_throttled(&s->throttle, LOG_LEVEL_WARN, "redis %s: %s%s", redis_address_text(&s->address, where, sizeof where),
                  what, redis_error_hint(what));
}

/* Not when the connection stands, but when what is to be done on it was done: a Redis that lets in and then refuses
 * would be asked ten times a second, with a line of the log each time. */
static void recover(struct store *s)
{
    if (!s->is_lost || s->wanted != BEGIN_NOTHING || !s->is_verified)
        return;
    s->is_lost = false;
    log_info("redis: connected again");
    s->trouble.text[0] = '\0';
    s->throttle = (struct log_throttle){0};
    s->backoff_ms = BACKOFF_FIRST_MS;
}

static void drop_connection(struct store *s)
{
    redis_dial_cancel(&s->dial);
    if (s->readable != NULL)
        event_free(s->readable);
    if (s->writable != NULL)
        event_free(s->writable);
    s->readable = s->writable = NULL;
    redis_client_stop(s->client);
    store_forget_calls(s);
    s->first = s->count = 0;
    store_figures_forget(s);
}

void store_lose(struct store *s, const char *why)
{
    drop_connection(s);
    enter(s, STORE_OFFLINE);
    s->is_lost = true;
    report(s, why);
    set_timer(s, s->backoff_ms);
    s->backoff_ms = s->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : s->backoff_ms * 2;
}

/* ---- asking ---- */

void store_expect(struct store *s, enum purpose purpose, int64_t cursor)
{
    if (s->count == 0)
        s->asked_ms = clock_monotonic_ms();
    s->pending[(s->first + s->count++) % PENDING_MAX] = (struct pending){.purpose = purpose, .cursor = cursor};
    event_active(s->writable, EV_WRITE, 0);
}

bool store_may_ask(const struct store *s)
{
    return s->state == STORE_READY && s->count < PENDING_MAX / 2;
}

/* The cursor and its copy with the marks, in one transaction: where they differ later, somebody else has been
 * there. One at a time: EXEC ends the guard of the next one, too. */
void store_save_cursor(struct store *s, int64_t cursor)
{
    if (store_may_ask(s) && s->is_verified && s->wanted == BEGIN_NOTHING && !store_is_saving(s))
        store_guard_cursor(s, cursor);
}

bool store_call(struct store *s, const struct buffer *resp, store_reply *on_reply, void *arg)
{
    if (!store_may_ask(s) || resp->failed)
        return false;
    redis_client_append(s->client, resp);
    store_expect(s, FOR_CALL, 0);
    struct pending *p = &s->pending[(s->first + s->count - 1) % PENDING_MAX];
    p->on_reply = on_reply;
    p->arg = arg;
    return true;
}

void store_forget_calls(struct store *s)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        struct pending *p = &s->pending[(s->first + i) % PENDING_MAX];
        store_reply *on_reply = p->on_reply;
        p->on_reply = NULL;
        if (p->purpose == FOR_CALL && on_reply != NULL)
            on_reply(p->arg, NULL);
    }
}

void store_set(struct store *s, const char *key, const char *value, size_t len, int ttl_s)
{
    if (!store_may_ask(s))
        return;
    char ttl[16];
    snprintf(ttl, sizeof ttl, "%d", ttl_s);
    redis_client_command(s->client, "SET %s %b EX %s", key, value, len, ttl);
    store_expect(s, FOR_DASHBOARD, 0);
}

void store_publish(struct store *s, const char *channel, const char *message, size_t len)
{
    if (!store_may_ask(s))
        return;
    redis_client_command(s->client, "PUBLISH %s %b", channel, message, len);
    store_expect(s, FOR_DASHBOARD, 0);
}

/* ---- answers ---- */

static void on_cursor_saved(struct store *s, const redisReply *reply, int64_t cursor)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return;
    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR) {
            report(s, reply->element[i]->str);
            return;
        }
    s->trouble.text[0] = '\0';
    s->saved = cursor;
    s->has_saved = true;
    s->hooks.cursor_saved(s->hooks.arg, cursor);
}

/* The key that an error is about, where Redis does not name it and nothing goes on without the answer; else NULL. */
static const char *key_of(const struct store *s, enum purpose purpose, char out[OWNER_KEY_BYTES])
{
    switch (purpose) {
    case FOR_EPOCH:
        snprintf(out, OWNER_KEY_BYTES, "%s:master", s->config->owner_key);
        return s->wanted != BEGIN_NOTHING ? out : NULL;
    case FOR_COPY:
    case FOR_MARKS:
        return s->wanted != BEGIN_NOTHING ? s->config->progress_key : NULL;
    case FOR_VERIFY:
    case FOR_VERIFY_MARKS:
        return s->config->progress_key;
    default:
        return NULL;
    }
}

static void on_error(struct store *s, enum purpose purpose, const char *error)
{
    char name[OWNER_KEY_BYTES], why[ERROR_TEXT_BYTES];
    const char *key = key_of(s, purpose, name);
    if (key == NULL) {
        report(s, error);
        return;
    }
    snprintf(why, sizeof why, "%.200s (key %.255s)", error, key);
    store_lose(s, why);
}

static void on_reply(struct store *s, const redisReply *reply)
{
    if (s->count == 0)
        return;
    struct pending p = s->pending[s->first];
    s->first = (s->first + 1) % PENDING_MAX;
    s->count--;
    s->asked_ms = clock_monotonic_ms();
    bool is_figure = p.purpose >= FOR_MEMORY; /* nice to know, and no trouble where it is not told */
    bool names_itself = p.purpose == FOR_CURSOR && s->wanted != BEGIN_NOTHING;
    if (reply->type == REDIS_REPLY_ERROR && !is_figure && !names_itself && p.purpose != FOR_CALL) {
        on_error(s, p.purpose, reply->str);
        if (s->state != STORE_READY)
            return;
    }
    switch (p.purpose) {
    case FOR_NOTHING:
    case FOR_DASHBOARD:
        break;
    case FOR_CALL:
        if (p.on_reply != NULL)
            p.on_reply(p.arg, reply);
        break;
    case FOR_GUARD:
        if (store_is_owner(s, reply))
            store_write_cursor(s, p.cursor);
        break;
    case FOR_OWNER:
        store_is_owner(s, reply);
        break;
    case FOR_CURSOR_SAVE:
        on_cursor_saved(s, reply, p.cursor);
        break;
    case FOR_MEMORY:
    case FOR_STREAM_LENGTH:
    case FOR_DEAD_LETTERS_LENGTH:
        store_figures_on_reply(s, p.purpose, reply);
        break;
    default:
        store_begin_on_reply(s, p.purpose, reply);
        break;
    }
}

/* ---- the connection ---- */

static void progress(struct store *s)
{
    struct error why;
    if (!redis_client_progress(s->client, &why)) {
        store_lose(s, why.text);
        return;
    }
    if (s->state == STORE_LOGIN && redis_client_is_ready(s->client)) {
        enter(s, STORE_READY);
        set_timer(s, CHECK_MS);
        store_begin_connected(s);
    }
    while (s->state == STORE_READY) {
        redisReply *reply;
        if (!redis_client_reply(s->client, &reply, &why)) {
            store_lose(s, why.text);
            return;
        }
        if (reply == NULL)
            break;
        on_reply(s, reply);
        freeReplyObject(reply);
        if (s->state == STORE_READY)
            recover(s);
    }
    if (s->writable != NULL && (redis_client_wants(s->client) & POLLOUT))
        event_add(s->writable, NULL);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    progress(arg);
}

static void on_connected(void *arg, int fd, const struct error *failure)
{
    struct store *s = arg;
    struct error why;
    redis_dial_end(&s->dial);
    if (fd < 0) {
        store_lose(s, failure->text);
        return;
    }
    const char *run_key = s->config->redis_rewrite_aof ? s->config->progress_key : NULL;
    if (!redis_client_start(s->client, fd, &s->address, "firehosed-master", run_key, &why)) {
        store_lose(s, why.text);
        return;
    }
    s->readable = event_new(s->base, fd, EV_READ | EV_PERSIST, on_ready, s);
    s->writable = event_new(s->base, fd, EV_WRITE, on_ready, s);
    if (s->readable == NULL || s->writable == NULL || event_add(s->readable, NULL) < 0) {
        store_lose(s, "out of memory");
        return;
    }
    enter(s, STORE_LOGIN);
    s->asked_ms = clock_monotonic_ms();
    set_timer(s, CHECK_MS);
    progress(s);
}

static void connect_now(struct store *s)
{
    struct error why;
    if (!redis_address_set(&s->address, s->config, &why)) {
        store_lose(s, why.text);
        return;
    }
    enter(s, STORE_CONNECTING);
    if (!redis_dial_start(&s->dial, s->base, s->dns, s->config, on_connected, s, &why))
        store_lose(s, why.text);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct store *s = arg;
    bool owed = s->state == STORE_LOGIN || (s->state == STORE_READY && s->count > 0);
    if (s->state == STORE_OFFLINE)
        connect_now(s);
    else if (owed && clock_monotonic_ms() - s->asked_ms >= s->config->redis_reply_timeout)
        store_lose(s, "no answer within redis_reply_timeout");
    else
        set_timer(s, CHECK_MS);
}

/* ---- the verbs ---- */

struct store *store_new(struct event_base *base, struct evdns_base *dns, const struct config *config,
                        struct owner_token *owner, struct known_marks *known, const struct store_hooks *hooks)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (struct store){.base = base,
                        .dns = dns,
                        .config = config,
                        .owner = owner,
                        .known = known,
                        .hooks = *hooks,
                        .backoff_ms = BACKOFF_FIRST_MS};
    store_figures_forget(s);
    s->client = redis_client_new();
    s->timer = evtimer_new(base, on_timer, s);
    if (s->client == NULL || s->timer == NULL) {
        store_free(s);
        return NULL;
    }
    return s;
}

void store_free(struct store *s)
{
    if (s == NULL)
        return;
    if (s->client != NULL)
        drop_connection(s);
    redis_client_free(s->client);
    if (s->timer != NULL)
        event_free(s->timer);
    redis_address_fini(&s->address);
    free(s);
}

void store_start(struct store *s)
{
    connect_now(s);
}

void store_restart(struct store *s)
{
    drop_connection(s);
    s->backoff_ms = BACKOFF_FIRST_MS;
    connect_now(s);
}

bool store_is_saving(const struct store *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->pending[(s->first + i) % PENDING_MAX].purpose == FOR_CURSOR_SAVE ||
            s->pending[(s->first + i) % PENDING_MAX].purpose == FOR_GUARD)
            return true;
    return false;
}

bool store_knows_relay(const struct store *s)
{
    return s->knows_relay;
}

bool store_is_ready(const struct store *s)
{
    return s->state == STORE_READY;
}
const char *store_state_name(const struct store *s)
{
    return state_names[s->state];
}
const char *store_trouble(const struct store *s)
{
    return s->trouble.text;
}
