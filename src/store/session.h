/* session.h: the master's connection to Redis: who takes which answer, when to connect again, what to report.
 *
 *   OFFLINE ──timer──▶ CONNECTING ─▶ LOGIN ─▶ READY ──any failure──▶ OFFLINE
 *
 * It knows nothing of cursors, marks or owners. While it is not ready, nothing is queued. */
#ifndef FIREHOSED_STORE_SESSION_H
#define FIREHOSED_STORE_SESSION_H

#include <event2/dns.h>
#include <event2/event.h>

#include "base/config.h"
#include "base/log.h"
#include "redis/client.h"
#include "store/hooks.h"

enum session_state { SESSION_OFFLINE, SESSION_CONNECTING, SESSION_LOGIN, SESSION_READY };

struct session_hooks {
    void *arg;
    void (*ready)(void *arg);    /* logged in: commands may be queued */
    void (*answered)(void *arg); /* an answer was taken, and the connection is still there */
    void (*lost)(void *arg);     /* no answer will come any more */
};

struct pending {
    store_reply *on_reply; /* NULL: only an error is of interest */
    void *arg;
    bool is_call; /* on_reply is called with NULL if the answer cannot come any more */
};

enum { PENDING_MAX = 256 /* answers that Redis may owe; session_may_ask() refuses at half of it */ };

struct session {
    enum session_state state;
    struct event_base *base;
    struct evdns_base *dns;
    const struct config *config;
    struct session_hooks hooks;
    struct redis_address address;
    struct redis_dial dial;
    struct redis_client *client;
    struct event *readable, *writable, *timer;
    struct pending pending[PENDING_MAX];
    size_t first, count;
    int64_t asked_ms; /* when the oldest answer that is owed was asked for */
    int64_t backoff_ms;
    bool is_lost; /* from a failure until session_recovered() */
    struct error trouble;
    struct log_throttle throttle;
};

/* Returns false if memory is short; session_fini() is needed in any case. */
bool session_init(struct session *c, struct event_base *base, struct evdns_base *dns,
                     const struct config *config, const struct session_hooks *hooks);
void session_fini(struct session *c);

/* Connects, or connects anew without waiting. */
void session_open(struct session *c);

/* Gives the connection up, reports why, and connects again after the back-off. */
void session_lose(struct session *c, const char *why);

/* The same for an error of Redis that does not name the key it is about. */
void session_lose_key(struct session *c, const char *error, const char *key);

/* Logs an error; once a minute at most while the same kind repeats. */
void session_report(struct session *c, const char *what);

/* The purpose of this connection is fulfilled: ends back-off and trouble. A login alone must not do that, or a Redis
 * that accepts the login and refuses the rest would be asked ten times a second, with a line in the log each time. */
void session_recovered(struct session *c);
void session_forget_trouble(struct session *c);

/* Returns whether a command may be queued that can as well be left out. */
bool session_may_ask(const struct session *c);

/* Queues a command, formatted as by redis_client_command(), and who takes its answer, an error too. */
void session_ask(struct session *c, store_reply *on_reply, void *arg, const char *format, ...);

/* Queues a command whose answer (OK, QUEUED, a number) matters only if it is an error: that is reported. */
void session_tell(struct session *c, const char *format, ...);

/* Queues one command that is RESP already. on_reply may be NULL, as for session_tell(). */
void session_append(struct session *c, const struct buffer *resp, store_reply *on_reply, void *arg);

/* The same for a command of another room: on_reply is called with NULL if the connection is lost before the answer. */
void session_call(struct session *c, const struct buffer *resp, store_reply *on_reply, void *arg);

/* Calls all calls back with NULL, and forgets them. */
void session_forget_calls(struct session *c);

/* Queues HSET of the run of Redis whose append-only log is known to be sound, if there is one. */
void session_note_run(struct session *c);

const char *session_state_name(const struct session *c);

#endif
