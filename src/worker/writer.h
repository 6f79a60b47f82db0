/* writer.h: brings finished batches into Redis, one transaction at a time.
 *
 *          ┌────────────────────────── connection lost ──────────────────────────┐
 *          ▼                                                                     │
 *   OFFLINE ──asks the master──▶ ASKED ──descriptor──▶ LOGIN ──▶ IDLE ──batch──▶ IN_FLIGHT
 *      ▲  wait (back-off)          │                    │         ▲                │  │
 *      └──────── refused ──────────┴──── refused ───────┘         └── committed ───┘  │
 *                                                      RETRY ◀── EXEC failed ─────────┘
 *
 * A batch that failed is kept and sent again with the same bytes. The writer connects through the master, which knows
 * how without blocking, and so needs no system call to connect. */
#ifndef FIREHOSED_WORKER_WRITER_H
#define FIREHOSED_WORKER_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/counters.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "redis/client.h"
#include "worker/batch.h"

enum writer_state { WRITER_OFFLINE, WRITER_ASKED, WRITER_LOGIN, WRITER_IDLE, WRITER_IN_FLIGHT, WRITER_RETRY };

struct writer {
    enum writer_state state;
    const struct config *config;
    const struct channel *channel;
    struct worker_slot *slot;
    char name[32];
    struct url url;
    struct tls_context *tls; /* NULL: plain */
    struct redis_client *client;
    struct batch *batch;     /* in flight or to be sent again; the caller's */
    size_t replies;          /* of the batch, received so far */
    struct error failure;    /* the first error among them; "" if none */
    bool committed;          /* set when the batch is in Redis; the caller takes note and clears it */
    int64_t deadline_ms;     /* OFFLINE, RETRY: when to try again; IN_FLIGHT, LOGIN: when to give up */
    int64_t backoff_ms;
    int64_t sent_us;
    struct log_throttle trouble;
    bool in_trouble;
};

bool writer_init(struct writer *w, unsigned index, const struct config *config, const struct channel *channel,
                 struct worker_slot *slot, struct error *why);
void writer_fini(struct writer *w);

/* True when the next batch may be given. */
static inline bool writer_is_idle(const struct writer *w) { return w->state == WRITER_IDLE && w->batch == NULL; }

/* Takes a finished batch to write; the caller keeps it until w->committed. Only when writer_is_idle(). */
void writer_submit(struct writer *w, struct batch *batch);

/* The master's answers. The descriptor is taken over. */
void writer_connected(struct writer *w, int fd);
void writer_refused(struct writer *w, const char *reason);

/* What to poll for: -1 if there is no connection. */
int writer_fd(const struct writer *w, short *events);

/* The connection is ready: moves bytes, reads replies. */
void writer_on_ready(struct writer *w);

/* Does what is due; returns how many ms may pass until the next call, or -1. */
int writer_on_time(struct writer *w, int64_t now_ms);

#endif
