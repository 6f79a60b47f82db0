/* relay.h: the WebSocket connection to the relay: its states, its attempts, its liveness.
 *
 *            ┌───────────────────────────── timer ────────────────────────────┐
 *            ▼                                                                │
 *   CONNECTING ─▶ TLS ─▶ UPGRADING ─▶ UP ─▶ (any failure, close, silence) ─▶ BACKOFF
 *                                     └──── relay_stop() ─▶ CLOSING ─▶ STOPPED
 *
 * The relay room brings frames from a host name to the ring's window. It chooses the relay to read and the place to
 * begin at, and recognises events that another relay has sent. It knows no worker, no Redis and no filter.
 *
 * The relay reads the socket straight into the ledger's window, and hands each message over where it lies. The hooks
 * judge messages and know the cursor. While the ring is full, the relay does not read. */
#ifndef FIREHOSED_RELAY_RELAY_H
#define FIREHOSED_RELAY_RELAY_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/optional.h"
#include "relay/relay_list.h"
#include "ring/ledger.h"

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

enum relay_verdict {
    RELAY_TAKEN,     /* the hook took the message out of the window: go on with the next one */
    RELAY_WAIT,      /* memory is short: the message is still in the window, offer it again later */
    RELAY_RECONNECT, /* the hook took the message: drop the connection and connect again, as at_once and why say */
    RELAY_STOP,      /* the hook took the message: close the connection in order, as relay_stop() does */
};

/* What the message hook wants of the relay, which carries it out once the hook has returned. */
struct relay_answer {
    enum relay_verdict verdict;
    bool at_once;    /* RELAY_RECONNECT: without the back-off */
    const char *why; /* RELAY_RECONNECT: for the log; it stays the hook's, and valid until the hook's next call */
};

struct relay;

struct relay_hooks {
    void *arg;
    /* Returns the cursor to ask for when connecting; unknown: live events. */
    struct optional (*cursor)(void *arg);
    /* The upgrade has succeeded. */
    void (*connected)(void *arg);
    /* A message lies at window[offset..offset+len) of the ledger. The hook takes it out (ledger_take…, or ledger_skip
     * by `consumed`), except where it answers RELAY_WAIT. It must not call the relay's verbs. */
    struct relay_answer (*message)(void *arg, const uint8_t *frame, size_t offset, size_t len, size_t consumed);
    /* The relay has handed over all that has arrived: the moment to dispatch it. */
    void (*idle)(void *arg);
    /* An attempt has failed, or the connection is lost; the next attempt will follow. is_healthy: the connection was,
     * as relay_is_healthy() has it. asked_ms: how long the relay asked to be left alone (Retry-After); 0: it did not
     * ask. The hook must not call the relay's verbs. */
    void (*failed)(void *arg, bool is_healthy, int64_t asked_ms);
    /* The relay has closed the connection that relay_stop() was to close. */
    void (*stopped)(void *arg);
};

/* config and relays stay the caller's. The relay reads both anew at each attempt, and connects to the current entry of
 * relays. Returns NULL if memory is short. */
struct relay *relay_new(struct event_base *base, struct evdns_base *dns, struct ledger *ledger,
                        const struct config *config, const struct relay_list *relays, const struct relay_hooks *hooks);
void relay_free(struct relay *r); /* NULL is allowed */

/* Connects now. The relay must be stopped. */
void relay_start(struct relay *r);

/* Sends a close frame (1000), waits a second at most for the answer, then calls hooks.stopped. */
void relay_stop(struct relay *r);

/* Drops the connection and connects again, after the back-off or at once. `why` goes to the log. A relay that is
 * stopped, or about to be, stays so. */
void relay_reconnect(struct relay *r, const char *why, bool at_once);

/* Reads again, if the relay had paused: the ring has room. */
void relay_resume(struct relay *r);

bool relay_is_up(const struct relay *r);
bool relay_is_healthy(const struct relay *r); /* it has been up for a minute */
bool relay_is_paused(const struct relay *r);  /* it does not read, as the ring is full */
enum relay_state relay_state(const struct relay *r);
const char *relay_host(const struct relay *r);    /* of the URL in use */
const char *relay_shown(const struct relay *r);   /* the URL in use, without its password */
const char *relay_trouble(const struct relay *r); /* why the relay is not up; "" while it is */
uint64_t relay_connects(const struct relay *r);   /* how often the relay came up */
uint64_t relay_bytes(const struct relay *r);      /* received */

#endif
