/* writer.h: brings finished batches into Redis, one transaction at a time.
 *
 *          ┌────────────────────────── connection lost ──────────────────────────┐
 *          ▼                                                                     │
 *   OFFLINE ──asks the master──▶ ASKED ──descriptor──▶ LOGIN ─▶ FENCING ─▶ IDLE ──batch──▶ IN_FLIGHT
 *      ▲  wait (back-off)          │                    │          │ ▲       ▲                │  │
 *      └──────── refused ──────────┴──── refused ───────┴──────────┘ │       └── committed ───┘  │
 *                                                                    └──── RETRY ◀── EXEC failed ┘
 *
 * FENCING (fencing.h) stands between a connection and the first write on it: whose slot is it, how far are the marks. A
 * batch that failed is kept and sent again with the same bytes, unless the marks tell that it was executed. The writer
 * connects through the master, which can do that without blocking, and so needs no system call to connect. */
#ifndef FIREHOSED_WORKER_WRITER_H
#define FIREHOSED_WORKER_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "ipc/counters.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "redis/client.h"
#include "fencing.h"
#include "worker/batch.h"
#include "worker/setup.h"

enum writer_state {
    WRITER_OFFLINE,
    WRITER_ASKED,
    WRITER_LOGIN,
    WRITER_FENCING,
    WRITER_IDLE,
    WRITER_IN_FLIGHT,
    WRITER_RETRY,
};

/* The batch that writer_submit() was given has ended: it is in Redis or, if is_committed is false, it was given up, as
 * a retry whose connection broke. The batch is the caller's again. May be called from inside writer_submit(). */
typedef void writer_done(void *arg, struct batch *batch, bool is_committed);

struct writer {
    enum writer_state state;
    const struct config *config;
    const struct channel *channel;
    struct worker_slot *slot;
    writer_done *done;
    void *arg;
    struct owner_token owner;
    union known_page *known; /* what is in Redis for certain */
    const char *progress_key;
    char owner_key[OWNER_KEY_BYTES];
    struct fencing fencing;
    bool *failed; /* which commands of the batch did, inside EXEC; NULL: none */
    char name[32];
    struct redis_address address;
    struct redis_client *client;
    struct batch *batch;  /* in flight or to be sent again; the caller's */
    size_t replies;       /* of the batch, received so far */
    struct error failure; /* the first error among them; "" if none */
    int64_t deadline_ms;  /* OFFLINE, RETRY: when to try again; ASKED, LOGIN, IN_FLIGHT: when to give up */
    int64_t backoff_ms;
    int64_t sent_us;
    struct log_throttle trouble;
    bool in_trouble;
};

/* Returns false if the address of Redis is wrong or memory is short: *why. */
bool writer_init(struct writer *w, const struct worker_setup *setup, const struct channel *channel, writer_done *done,
                 void *arg, struct error *why);
void writer_fini(struct writer *w);

/* True if the next batch may be given. */
static inline bool writer_is_idle(const struct writer *w) { return w->state == WRITER_IDLE && w->batch == NULL; }

/* Takes a finished batch to write; the caller keeps it until `done`. Only if writer_is_idle(). */
void writer_submit(struct writer *w, struct batch *batch);

/* The master's answers. The descriptor is taken over. */
void writer_connected(struct writer *w, int fd);
void writer_refused(struct writer *w, const char *reason);

/* Returns the descriptor to poll, and *events to wait for; -1 if there is no connection. */
int writer_fd(const struct writer *w, short *events);

/* The connection is ready: moves bytes, reads replies. */
void writer_on_ready(struct writer *w);

/* Does what is due; returns how many ms may pass until the next call, or -1. */
int writer_on_time(struct writer *w, int64_t now_ms);

#endif
