/* relay.c: the connection's states, its attempts and its liveness. Reading and writing are in relay_io.c. */
#include "config.h"

#include "relay/relay.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/ws_handshake.h"
#include "relay_internal.h"

enum {
    HEALTHY_MS = 60000,   /* a connection that lasted this long was no accident: the back-off starts anew */
    CLOSE_WAIT_MS = 1000, /* for the relay's answer to our close */
};

static const char *const state_names[] = {"stopped",   "backoff", "connecting", "tls",
                                          "upgrading", "up",      "closing"};

const char *relay_state_name(enum relay_state s)
{
    return state_names[s];
}

/* The one place where the state changes. */
void relay_enter(struct relay *r, enum relay_state state)
{
    log_debug("relay %s: %s -> %s", r->url.host, state_names[r->state], state_names[state]);
    r->state = state;
}

static void drop_connection(struct relay *r)
{
    connect_cancel(r->attempt);
    r->attempt = NULL;
    if (r->readable != NULL)
        event_free(r->readable);
    if (r->writable != NULL)
        event_free(r->writable);
    r->readable = r->writable = NULL;
    stream_fini(&r->stream);
    stream_clear(&r->stream);
    buffer_clear(&r->head);
    buffer_clear(&r->out);
    r->is_paused = false;
    ledger_clear_window(r->ledger);
    evtimer_del(r->timer);
}

static void set_timer(struct relay *r, int64_t ms)
{
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(r->timer, &after);
}

/* Between three and five quarters of ms, so that the consumers of a relay that restarts do not come back as one. */
static int64_t with_jitter(int64_t ms)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = (uint32_t)clock_unix_us();
    return ms - ms / 4 + (int64_t)(random % 1000) * ms / 2000;
}

void relay_fail(struct relay *r, const char *why, int64_t at_least_ms)
{
    if (r->state == RELAY_CLOSING) {
        drop_connection(r);
        relay_enter(r, RELAY_STOPPED);
        r->hooks.stopped(r->hooks.arg);
        return;
    }
    bool healthy = relay_is_healthy(r);
    if (healthy || r->backoff_ms < r->config->relay_backoff)
        r->backoff_ms = r->config->relay_backoff;
    int64_t wait_ms = with_jitter(r->backoff_ms);
    if (wait_ms < at_least_ms)
        wait_ms = at_least_ms;
    r->backoff_ms =
        r->backoff_ms * 2 > r->config->relay_backoff_max ? r->config->relay_backoff_max : r->backoff_ms * 2;
    strncpy(r->trouble, why, sizeof r->trouble - 1);
    log_warn("relay %s: %s; next attempt in %.1f s", r->url.host, why, (double)wait_ms / 1000);
    drop_connection(r);
    relay_enter(r, RELAY_BACKOFF);
    set_timer(r, wait_ms);
    r->hooks.failed(r->hooks.arg, healthy);
}

void relay_reconnect(struct relay *r, const char *why, bool at_once)
{
    if (r->state == RELAY_STOPPED || r->state == RELAY_CLOSING)
        return;
    if (!at_once) {
        relay_fail(r, why, 0);
        return;
    }
    log_info("relay %s: %s; connecting again", r->url.host, why);
    drop_connection(r);
    relay_enter(r, RELAY_STOPPED);
    relay_start(r);
}

/* ---- connecting ---- */

static void on_connected(void *arg, int fd, const struct error *why)
{
    struct relay *r = arg;
    struct error failure;
    r->attempt = NULL;
    if (fd < 0) {
        relay_fail(r, why->text, 0);
        return;
    }
    if (!stream_init(&r->stream, fd, r->tls, r->url.host, &failure)) {
        relay_fail(r, failure.text, 0);
        return;
    }
    if (!relay_io_attach(r)) {
        relay_fail(r, "out of memory", 0);
        return;
    }
    relay_enter(r, RELAY_TLS);
    relay_io_progress(r);
}

static bool prepare(struct relay *r, struct error *why)
{
    r->url = relay_list_current(r->relays)->url;
    url_redacted(&r->url, r->shown, sizeof r->shown);
    tls_free(r->tls);
    r->tls = NULL;
    if (url_is_tls(&r->url) && (r->tls = tls_client_new(r->config->relay_ca_file, why)) == NULL)
        return false;
    return true;
}

void relay_start(struct relay *r)
{
    struct error why;
    if (!prepare(r, &why)) {
        relay_fail(r, why.text, 0);
        return;
    }
    relay_enter(r, RELAY_CONNECTING);
    r->started_ms = clock_monotonic_ms();
    /* One time-out for all of it: connecting, TLS and upgrade. */
    set_timer(r, r->config->relay_connect_timeout);
    r->attempt =
        connect_start(r->base, r->dns, &r->url, (int)r->config->relay_connect_timeout, on_connected, r);
    if (r->attempt == NULL)
        relay_fail(r, "out of memory", 0);
}

void relay_is_established(struct relay *r)
{
    relay_enter(r, RELAY_UP);
    r->up_since_ms = r->last_byte_ms = r->headway_ms = clock_monotonic_ms();
    r->ping_sent = false;
    r->connects++;
    r->trouble[0] = '\0';
    ws_reader_init(&r->reader, WS_CLIENT, (size_t)r->config->relay_max_message);
    set_timer(r, r->config->relay_ping_interval);
    log_info("Connected to firehose successfully (%s)", r->shown);
    r->hooks.connected(r->hooks.arg);
}

/* ---- time ---- */

/* Nothing received for a while: a ping, and if that brings nothing either, the end. A connection that is not read
 * because the ledger is full proves nothing by its silence. Bytes alone are no headway: empty fragments, pings within a
 * message, a byte now and then would keep a connection for ever on which no event comes. */
static void check_liveness(struct relay *r)
{
    int64_t now = clock_monotonic_ms();
    if (r->is_paused)
        r->last_byte_ms = r->headway_ms = now;
    if (relay_io_is_within_message(r) && now - r->headway_ms >= r->config->relay_idle_timeout) {
        relay_fail(r, "a message has not ended within relay_idle_timeout", 0);
        return;
    }
    int64_t silent_ms = now - r->last_byte_ms;
    if (silent_ms >= r->config->relay_idle_timeout) {
        relay_fail(r, "nothing received within relay_idle_timeout, not even a pong", 0);
        return;
    }
    if (silent_ms < r->config->relay_ping_interval) {
        r->ping_sent = false;
        set_timer(r, r->config->relay_ping_interval - silent_ms);
        return;
    }
    if (!r->ping_sent) {
        r->ping_sent = true;
        ws_append_frame(&r->out, WS_CLIENT, WS_PING, "", 0);
        relay_io_flush(r);
    }
    int64_t until_dead = r->config->relay_idle_timeout - silent_ms,
            until_ping = r->config->relay_ping_interval;
    if (r->state == RELAY_UP)
        set_timer(r, until_dead < until_ping ? until_dead : until_ping);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct relay *r = arg;
    switch (r->state) {
    case RELAY_STOPPED:
        break;
    case RELAY_BACKOFF:
        relay_start(r);
        break;
    case RELAY_CONNECTING:
        relay_fail(r, "connecting took longer than relay_connect_timeout", 0);
        break;
    case RELAY_TLS:
        relay_fail(r, "TLS handshake took longer than relay_connect_timeout", 0);
        break;
    case RELAY_UPGRADING:
        relay_fail(r, "the WebSocket upgrade took longer than relay_connect_timeout", 0);
        break;
    case RELAY_UP:
        check_liveness(r);
        break;
    case RELAY_CLOSING:
        relay_fail(r, "", 0);
        break;
    }
}

/* ---- the verbs ---- */

struct relay *relay_new(struct event_base *base, struct evdns_base *dns, struct ledger *ledger,
                        const struct config *config, const struct relay_list *relays, const struct relay_hooks *hooks)
{
    struct relay *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->base = base;
    r->dns = dns;
    r->ledger = ledger;
    r->config = config;
    r->relays = relays;
    r->hooks = *hooks;
    stream_clear(&r->stream);
    r->timer = evtimer_new(base, on_timer, r);
    r->url = relay_list_current(relays)->url;
    url_redacted(&r->url, r->shown, sizeof r->shown);
    if (r->timer == NULL) {
        free(r);
        return NULL;
    }
    return r;
}

void relay_free(struct relay *r)
{
    if (r == NULL)
        return;
    drop_connection(r);
    event_free(r->timer);
    buffer_fini(&r->head);
    buffer_fini(&r->out);
    tls_free(r->tls);
    free(r);
}

void relay_stop(struct relay *r)
{
    if (r->state == RELAY_UP && !r->is_paused) {
        relay_enter(r, RELAY_CLOSING);
        ws_append_close(&r->out, WS_CLIENT, WS_CLOSE_NORMAL, "");
        set_timer(r, CLOSE_WAIT_MS);
        relay_io_flush(r);
        return;
    }
    relay_enter(r, RELAY_CLOSING);
    relay_fail(r, "", 0);
}

bool relay_is_up(const struct relay *r)
{
    return r->state == RELAY_UP;
}
bool relay_is_healthy(const struct relay *r)
{
    return r->state == RELAY_UP && clock_monotonic_ms() - r->up_since_ms >= HEALTHY_MS;
}
enum relay_state relay_state(const struct relay *r)
{
    return r->state;
}
const char *relay_host(const struct relay *r)
{
    return r->url.host;
}
const char *relay_shown(const struct relay *r)
{
    return r->shown;
}
uint64_t relay_connects(const struct relay *r)
{
    return r->connects;
}
uint64_t relay_bytes(const struct relay *r)
{
    return r->bytes;
}
bool relay_is_paused(const struct relay *r)
{
    return r->is_paused;
}
const char *relay_trouble(const struct relay *r)
{
    return r->trouble;
}
