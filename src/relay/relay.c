/* relay.c: the one place that changes the relay's state. connection.c does the work on bytes and returns what came of
 * it; here each result is acted on. Hot: read_frames(), from the socket to the message hook. */
#include "config.h"

#include "relay/relay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "connection.h"
#include "net/connect.h"
#include "relay/liveness.h"

enum {
    HEALTHY_MS = 60000,   /* a connection that lasted this long was no accident: the back-off starts anew */
    CLOSE_WAIT_MS = 1000, /* for the relay's answer to our close */
    ASKED_MAX_MS = 5 * 60 * 1000, /* a relay cannot ask for a longer pause (Retry-After) */
    READS_PER_TURN = 32,  /* then acks, signals and control get their turn */
};

struct relay {
    enum relay_state state;
    struct event_base *base;
    struct evdns_base *dns;
    struct ledger *ledger;
    const struct config *config;
    const struct relay_list *relays;
    struct relay_hooks hooks;

    struct url url;
    char shown[URL_HOST_BYTES + URL_PATH_BYTES];
    struct tls_context *tls;
    struct connect_attempt *attempt;
    struct connection connection;
    struct event *timer;
    struct liveness liveness;
    int64_t up_since_ms, backoff_ms;
    uint64_t connects, bytes, messages;
    struct error trouble;
};

/* ---- states ---- */

static const char *const state_names[] = {"stopped", "backoff", "connecting", "tls", "upgrading", "up", "closing"};

const char *relay_state_name(enum relay_state s) { return state_names[s]; }

static void relay_enter(struct relay *r, enum relay_state state)
{
    log_debug("relay %s: %s -> %s", r->url.host, state_names[r->state], state_names[state]);
    r->state = state;
}

static void set_timer(struct relay *r, int64_t ms)
{
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(r->timer, &after);
}

static void drop_connection(struct relay *r)
{
    connect_cancel(r->attempt);
    r->attempt = NULL;
    connection_close(&r->connection);
    evtimer_del(r->timer);
}

/* Between three and five quarters of ms, so that a restarted relay does not get all consumers back in one moment. */
static int64_t with_jitter(int64_t ms)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = (uint32_t)clock_unix_us();
    return ms - ms / 4 + (int64_t)(random % 1000) * ms / 2000;
}

/* Returns how long to wait before the next attempt, and doubles the back-off for the attempt after it. */
static int64_t next_backoff(struct relay *r, bool is_healthy)
{
    const struct config *config = r->config;
    if (is_healthy || r->backoff_ms < config->relay_backoff)
        r->backoff_ms = config->relay_backoff;
    int64_t wait_ms = with_jitter(r->backoff_ms);
    r->backoff_ms = r->backoff_ms * 2 > config->relay_backoff_max ? config->relay_backoff_max : r->backoff_ms * 2;
    return wait_ms;
}

static void enter_stopped(struct relay *r)
{
    drop_connection(r);
    relay_enter(r, RELAY_STOPPED);
    r->hooks.stopped(r->hooks.arg);
}

/* The connection, or the attempt to make one, is over: the next attempt follows. asked_ms: how long the relay asked to
 * be left alone. */
static void fail(struct relay *r, const char *why, int64_t asked_ms)
{
    if (r->state == RELAY_CLOSING) {
        enter_stopped(r);
        return;
    }
    bool is_healthy = relay_is_healthy(r);
    int64_t wait_ms = next_backoff(r, is_healthy);
    if (asked_ms > ASKED_MAX_MS)
        asked_ms = ASKED_MAX_MS;
    if (wait_ms < asked_ms)
        wait_ms = asked_ms;
    error_set(&r->trouble, "%s", why);
    log_warn("relay %s: %s; next attempt in %.1f s", r->url.host, why, (double)wait_ms / 1000);
    drop_connection(r);
    relay_enter(r, RELAY_BACKOFF);
    set_timer(r, wait_ms);
    r->hooks.failed(r->hooks.arg, is_healthy, asked_ms);
}

/* ---- connecting ---- */

static void enter_upgrading(struct relay *r)
{
    struct optional cursor = r->hooks.cursor(r->hooks.arg);
    if (cursor.is_known)
        log_info("relay %s: asking for events after cursor %" PRId64, r->url.host, cursor.value);
    else
        log_info("relay %s: asking for live events, without a cursor", r->url.host);
    relay_enter(r, RELAY_UPGRADING);
    if (!connection_request(&r->connection, &r->url, cursor))
        fail(r, "out of memory", 0);
}

static void enter_up(struct relay *r)
{
    relay_enter(r, RELAY_UP);
    r->up_since_ms = clock_monotonic_ms();
    liveness_reset(&r->liveness, r->up_since_ms);
    r->connects++;
    r->trouble.text[0] = '\0';
    set_timer(r, r->config->relay_ping_interval);
    log_info("Connected to firehose successfully (%s)", r->shown);
    r->hooks.connected(r->hooks.arg);
}

static void shake_hands(struct relay *r)
{
    struct error why;
    enum connection_result result = connection_shake_hands(&r->connection, &why);
    if (result == CONNECTION_DONE)
        enter_upgrading(r);
    else if (result == CONNECTION_FAILED)
        fail(r, why.text, 0);
}

static void on_connected(void *arg, int fd, const struct error *failure)
{
    struct relay *r = arg;
    struct error why;
    r->attempt = NULL;
    if (fd < 0) {
        fail(r, failure->text, 0);
    } else if (!connection_open(&r->connection, fd, r->tls, r->url.host, &why)) {
        fail(r, why.text, 0);
    } else {
        relay_enter(r, RELAY_TLS);
        shake_hands(r);
    }
}

static void take_url(struct relay *r)
{
    r->url = relay_list_current(r->relays)->url;
    url_redacted(&r->url, r->shown, sizeof r->shown);
}

void relay_start(struct relay *r)
{
    struct error why;
    int64_t timeout_ms = r->config->relay_connect_timeout; /* for all of it: connecting, TLS and upgrade */
    take_url(r);
    tls_free(r->tls);
    r->tls = NULL;
    if (url_is_tls(&r->url) && (r->tls = tls_client_new(r->config->relay_ca_file, &why)) == NULL) {
        fail(r, why.text, 0);
        return;
    }
    relay_enter(r, RELAY_CONNECTING);
    set_timer(r, timeout_ms);
    r->attempt = connect_start(r->base, r->dns, &r->url, (int)timeout_ms, on_connected, r);
    if (r->attempt == NULL)
        fail(r, "out of memory", 0);
}

/* ---- reading ---- */

/* How a turn of reading goes on. */
enum turn {
    TURN_MORE,  /* there may be more: read on */
    TURN_ENDS,  /* the socket is empty, or the ring is full */
    TURN_WAITS, /* memory is short: the message is offered again in a later turn */
    TURN_OVER,  /* the connection is over, or closing */
};

/* Hands a message to the hook, and carries out what it answers. */
static enum turn hand_over(struct relay *r, const struct connection_message *m)
{
    const struct ws_item *item = &m->item;
    struct relay_answer answer = r->hooks.message(r->hooks.arg, item->data, m->offset, item->len, item->consumed);
    switch (answer.verdict) {
    case RELAY_TAKEN:
        return TURN_MORE;
    case RELAY_WAIT:
        connection_put_back(&r->connection, m);
        return TURN_WAITS;
    case RELAY_RECONNECT:
        relay_reconnect(r, answer.why, answer.at_once);
        break;
    case RELAY_STOP:
        relay_stop(r);
        break;
    }
    return TURN_OVER;
}

/* Hands over every whole message in the window. */
static enum turn take_messages(struct relay *r)
{
    struct error why;
    struct connection_message m;
    enum connection_result result;
    while ((result = connection_next(&r->connection, &m, &why)) == CONNECTION_DONE) {
        r->messages++;
        if (r->state == RELAY_CLOSING) { /* the relay sends it again after the next start */
            ledger_skip(r->ledger, m.item.consumed);
            continue;
        }
        enum turn turn = hand_over(r, &m);
        if (turn != TURN_MORE)
            return turn;
    }
    if (result == CONNECTION_WAITS)
        return TURN_MORE;
    fail(r, why.text, 0);
    return TURN_OVER;
}

static enum turn read_once(struct relay *r)
{
    struct error why;
    size_t got = 0;
    switch (connection_read(&r->connection, &got, &why)) {
    case CONNECTION_DONE:
        r->bytes += got;
        return take_messages(r);
    case CONNECTION_WAITS:
        return TURN_ENDS;
    case CONNECTION_FULL:
        connection_pause(&r->connection);
        log_debug("relay %s: the ring is full, not reading", r->url.host);
        return TURN_ENDS;
    case CONNECTION_FAILED:
        fail(r, why.text, 0);
        break;
    }
    return TURN_OVER;
}

static void read_frames(struct relay *r)
{
    uint64_t bytes = r->bytes, messages = r->messages;
    /* The window may hold bytes that came with the upgrade's answer, or a message that was left as memory was short. */
    enum turn turn = take_messages(r);
    for (int reads = 0; turn == TURN_MORE && reads < READS_PER_TURN; reads++)
        turn = read_once(r);
    if (turn != TURN_OVER && r->bytes != bytes)
        liveness_on_bytes(&r->liveness, clock_monotonic_ms(),
                          r->messages != messages || !connection_is_within_message(&r->connection));
    if (turn == TURN_MORE || turn == TURN_WAITS)
        connection_come_back(&r->connection, turn == TURN_MORE);
    r->hooks.idle(r->hooks.arg);
}

static void read_answer(struct relay *r)
{
    struct error why;
    int64_t asked_ms;
    enum connection_result result =
        connection_read_answer(&r->connection, (size_t)r->config->relay_max_message, &asked_ms, &why);
    if (result == CONNECTION_FAILED)
        fail(r, why.text, asked_ms);
    if (result != CONNECTION_DONE)
        return;
    enter_up(r);
    read_frames(r);
}

/* ---- events and time ---- */

static const char *const timeouts[] = {
    [RELAY_CONNECTING] = "connecting took longer than relay_connect_timeout",
    [RELAY_TLS] = "TLS handshake took longer than relay_connect_timeout",
    [RELAY_UPGRADING] = "the WebSocket upgrade took longer than relay_connect_timeout",
    [RELAY_CLOSING] = "",
};

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct relay *r = arg;
    if ((what & EV_WRITE) != 0 && r->state != RELAY_TLS && !connection_flush(&r->connection))
        fail(r, "out of memory", 0);
    else if (r->state == RELAY_TLS)
        shake_hands(r);
    else if (r->state == RELAY_UPGRADING)
        read_answer(r);
    else if (!r->connection.is_paused)
        read_frames(r);
}

/* Nothing came for a while. The silence of a connection that is not read, as the ring is full, proves nothing. */
static void check_liveness(struct relay *r)
{
    int64_t now_ms = clock_monotonic_ms();
    if (r->connection.is_paused)
        liveness_reset(&r->liveness, now_ms);
    struct liveness_answer answer =
        liveness_judge(&r->liveness, now_ms, connection_is_within_message(&r->connection), r->config);
    if (answer.verdict == LIVENESS_SILENT)
        fail(r, "nothing received within relay_idle_timeout, not even a pong", 0);
    else if (answer.verdict == LIVENESS_STUCK)
        fail(r, "a message has not ended within relay_idle_timeout", 0);
    else if (answer.verdict == LIVENESS_PING && !connection_ping(&r->connection))
        fail(r, "out of memory", 0);
    else
        set_timer(r, answer.next_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct relay *r = arg;
    if (r->state == RELAY_BACKOFF)
        relay_start(r);
    else if (r->state == RELAY_UP)
        check_liveness(r);
    else if (r->state != RELAY_STOPPED)
        fail(r, timeouts[r->state], 0);
}

/* ---- the verbs ---- */

struct relay *relay_new(struct event_base *base, struct evdns_base *dns, struct ledger *ledger,
                        const struct config *config, const struct relay_list *relays, const struct relay_hooks *hooks)
{
    struct relay *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    *r = (struct relay){.base = base, .dns = dns, .ledger = ledger, .config = config, .relays = relays};
    r->hooks = *hooks;
    take_url(r);
    connection_init(&r->connection, base, ledger, on_ready, r);
    r->timer = evtimer_new(base, on_timer, r);
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
    tls_free(r->tls);
    free(r);
}

void relay_stop(struct relay *r)
{
    if (r->state != RELAY_UP || r->connection.is_paused) {
        enter_stopped(r);
        return;
    }
    relay_enter(r, RELAY_CLOSING);
    set_timer(r, CLOSE_WAIT_MS);
    if (!connection_say_goodbye(&r->connection, WS_CLOSE_NORMAL))
        enter_stopped(r);
}

void relay_reconnect(struct relay *r, const char *why, bool at_once)
{
    if (r->state == RELAY_STOPPED || r->state == RELAY_CLOSING)
        return;
    if (!at_once) {
        fail(r, why, 0);
        return;
    }
    log_info("relay %s: %s; connecting again", r->url.host, why);
    drop_connection(r);
    relay_enter(r, RELAY_STOPPED);
    relay_start(r);
}

void relay_resume(struct relay *r)
{
    if (!r->connection.is_paused)
        return;
    liveness_reset(&r->liveness, clock_monotonic_ms());
    connection_resume(&r->connection);
    log_debug("relay %s: the ring has room, reading again", r->url.host);
}

bool relay_is_healthy(const struct relay *r)
{
    return r->state == RELAY_UP && clock_monotonic_ms() - r->up_since_ms >= HEALTHY_MS;
}

bool relay_is_up(const struct relay *r) { return r->state == RELAY_UP; }
bool relay_is_paused(const struct relay *r) { return r->connection.is_paused; }
enum relay_state relay_state(const struct relay *r) { return r->state; }
const char *relay_host(const struct relay *r) { return r->url.host; }
const char *relay_shown(const struct relay *r) { return r->shown; }
const char *relay_trouble(const struct relay *r) { return r->trouble.text; }
uint64_t relay_connects(const struct relay *r) { return r->connects; }
uint64_t relay_bytes(const struct relay *r) { return r->bytes; }
