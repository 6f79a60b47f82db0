/* relay.h: the WebSocket connection to the relay, from name to frames in the ledger.
 *
 *            ┌───────────────────────────── timer ────────────────────────────┐
 *            ▼                                                                │
 *   CONNECTING ─▶ TLS ─▶ UPGRADING ─▶ UP ─▶ (any failure, close, silence) ─▶ BACKOFF
 *                                     └──── relay_stop() ─▶ CLOSING ─▶ STOPPED
 *
 * It reads the socket straight into the ledger's window, and hands over each message where it lies. Who judges
 * messages, and knows the cursor, is behind the hooks. While the ledger is full it does not read. */
#ifndef FIREHOSED_RELAY_RELAY_H
#define FIREHOSED_RELAY_RELAY_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/optional.h"
#include "ring/ledger.h"
#include "relay/relay_list.h"
#include "net/url.h"

enum relay_state {
    RELAY_STOPPED,
    RELAY_BACKOFF,
    RELAY_CONNECTING,
    RELAY_TLS,
    RELAY_UPGRADING,
    RELAY_UP,
    RELAY_CLOSING,
};
const char *relay_state_name(enum relay_state s); /* "stopped", "backoff", … */

struct relay;

struct relay_hooks {
    void *arg;
    /* The cursor to ask for when connecting; unknown: live from now. */
    struct optional (*cursor)(void *arg);
    /* The upgrade succeeded. */
    void (*connected)(void *arg);
    /* A message lies at window[offset..offset+len) of the ledger. The hook takes it out (ledger_take…, ledger_skip by
     * `consumed`); false: it could not (no memory), it stays and is offered again. */
    bool (*message)(void *arg, const uint8_t *frame, size_t offset, size_t len, size_t consumed);
    /* All that has arrived was handed over: the moment to pass it on. */
    void (*idle)(void *arg);
    /* An attempt has failed, or the connection is lost; the next attempt will follow. healthy: it had been up for a
     * minute. The hook must not call the relay's verbs. */
    void (*failed)(void *arg, bool healthy);
    /* relay_stop() is through. */
    void (*stopped)(void *arg);
};

/* config stays the caller's, and is read anew at each attempt, and so does `sources`, whose current one is connected
 * to. NULL: no memory. */
struct relay *relay_new(struct event_base *base, struct evdns_base *dns, struct ledger *ledger,
                        const struct config *config, const struct relay_list *relays, const struct relay_hooks *hooks);
void relay_free(struct relay *r);

/* Connects now. */
void relay_start(struct relay *r);

/* Says goodbye (close 1000) and waits a second at most for the answer; then hooks.stopped. */
void relay_stop(struct relay *r);

/* Drops the connection and connects again, after the back-off (or at once). `why` goes to the log. */
void relay_reconnect(struct relay *r, const char *why, bool at_once);

/* The ledger has room again. */
void relay_resume(struct relay *r);

bool relay_is_up(const struct relay *r);
int64_t relay_up_since_ms(const struct relay *r); /* clock_monotonic_ms(); only while it is up */
enum relay_state relay_state(const struct relay *r);
const char *relay_host(const struct relay *r);  /* of the URL in use */
const char *relay_shown(const struct relay *r); /* its URL, without a password */
uint64_t relay_connects(const struct relay *r); /* how often it was up */
uint64_t relay_bytes(const struct relay *r);    /* received */
bool relay_is_paused(const struct relay *r);    /* the ledger is full */
const char *relay_trouble(const struct relay *r); /* why it is not up; "" when it is */

#endif
