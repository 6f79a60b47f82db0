/* store.h: the master's own connection to Redis: the cursor, and the keys that dashboards read.
 *
 *   OFFLINE ──timer──▶ CONNECTING ─▶ LOGIN ─▶ READY ──any failure──▶ OFFLINE
 *
 * Nothing here is on the way of an event. While Redis does not answer, periodic writes are left out, not queued. */
#ifndef FIREHOSED_MASTER_STORE_H
#define FIREHOSED_MASTER_STORE_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"

struct store;

struct store_hooks {
    void *arg;
    /* The saved cursor was read, for the first time: found is false where there is none. */
    void (*cursor_loaded)(void *arg, bool found, int64_t cursor);
    /* The cursor given to store_save_cursor() is in Redis. */
    void (*cursor_saved)(void *arg, int64_t cursor);
};

struct store *store_new(struct event_base *base, struct evdns_base *dns, const struct config *config,
                        const struct store_hooks *hooks);
void store_free(struct store *s);

/* Connects, and reads the cursor as soon as it can. */
void store_start(struct store *s);

/* The configuration of Redis changed: connects anew. */
void store_restart(struct store *s);

bool store_is_ready(const struct store *s);

/* These do nothing while Redis is away or still owes answers to earlier ones. */
void store_save_cursor(struct store *s, int64_t cursor);
void store_set(struct store *s, const char *key, const char *value, size_t len, int ttl_s);
void store_publish(struct store *s, const char *channel, const char *message, size_t len);

/* "ready", "connecting", …, and why it is not ready ("" when it is). */
const char *store_state_name(const struct store *s);
const char *store_trouble(const struct store *s);

#endif
