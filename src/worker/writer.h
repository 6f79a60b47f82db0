/* writer.h: brings finished batches into Redis, one transaction at a time.
 *
 *          ┌────────────────────────── connection lost ──────────────────────────┐
 *          ▼                                                                     │
 *   OFFLINE ──asks the master──▶ ASKED ──descriptor──▶ LOGIN ──▶ CLAIM ──▶ IDLE ──batch──▶ IN_FLIGHT
 *      ▲  wait (back-off)          │                    │          │ ▲       ▲                │  │
 *      └──────── refused ──────────┴──── refused ───────┴──────────┘ │       └── committed ───┘  │
 *                                                                    └──── RETRY ◀── EXEC failed ┘
 *
 * CLAIM (claim.c) is what stands between a connection and the first write on it: whose slot is it, how far
 * are the marks. A batch that failed is kept and sent again with the same bytes, unless the marks tell that
 * it was executed. The writer connects through the master, which knows how without blocking, and so needs no
 * system call to connect. */
#ifndef FIREHOSED_WORKER_WRITER_H
#define FIREHOSED_WORKER_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "ipc/counters.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "redis/client.h"
#include "worker/batch.h"
#include "worker/worker.h"

enum writer_state {
    WRITER_OFFLINE,
    WRITER_ASKED,
    WRITER_LOGIN,
    WRITER_FENCING,
    WRITER_IDLE,
    WRITER_IN_FLIGHT,
    WRITER_RETRY,
};

struct writer {
    enum writer_state state;
    const struct config *config;
    const struct channel *channel;
    struct worker_slot *slot;
    struct known_marks *known; /* what is in Redis for certain */
    uint64_t own;              /* bit p: partition p is this worker's */
    struct owner_token owner;
    const char *progress_key;
    char owner_key[OWNER_KEY_BYTES];
    struct buffer guard;                /* what CLAIM asks, as RESP */
    char claimed_by[OWNER_TOKEN_BYTES]; /* what it was told: the slot's owner */
    struct marks marks;                 /* as CLAIM read them */
    bool has_read_marks;                /* `marks` is what Redis has at this claim */
    bool stream_is_gone;                /* at this claim: another type of key stands in its place */
    bool has_marks;                     /* nothing may be decoded before */
    bool must_fence;  /* the slot is to be taken on this connection, so that nothing of an earlier one is executed */
    bool *failed;         /* which commands of the batch did, inside EXEC; NULL: none */
    struct error partial; /* why a part of the transaction failed: told when the marks are put back; else "" */
    bool must_repair; /* marks got ahead of their events: they are put back before the next try */
    char name[32];
    struct redis_address address;
    struct redis_client *client;
    struct batch *batch;  /* in flight or to be sent again; the caller's */
    size_t replies;       /* of the batch, received so far */
    struct error failure; /* the first error among them; "" if none */
    bool committed;       /* set when the batch is in Redis; the caller takes note and clears it */
    bool gave_up;         /* set when a retry was lost with the connection; as above */
    int64_t deadline_ms;  /* OFFLINE, RETRY: when to try again; ASKED, LOGIN, IN_FLIGHT: when to give up */
    int64_t backoff_ms;
    int64_t sent_us;
    struct log_throttle trouble;
    bool in_trouble;
};

bool writer_init(struct writer *w, const struct worker_setup *setup, const struct channel *channel,
                 struct error *why);
void writer_fini(struct writer *w);

/* True when the next batch may be given. */
static inline bool writer_is_idle(const struct writer *w)
{
    return w->state == WRITER_IDLE && w->batch == NULL;
}

/* Takes a finished batch to write; the caller keeps it until w->committed. Only when writer_is_idle(). */
void writer_submit(struct writer *w, struct batch *batch);

/* The master's answers. The descriptor is taken over. */
void writer_connected(struct writer *w, int fd);
void writer_refused(struct writer *w, const char *reason);

/* claim.c: asks for owner, types and marks. Called when logged in, and after each failed transaction. */
void fencing_begin(struct writer *w);
/* One of the answers. */
void fencing_on_reply(struct writer *w, const redisReply *reply);

/* For claim.c. */
void writer_enter(struct writer *w, enum writer_state state);
void writer_lose(struct writer *w, const char *why);
void writer_retry_later(struct writer *w);       /* for the reason in w->failure */
void writer_go_on(struct writer *w);             /* the claim holds: the batch again, or idle */
void writer_take_as_committed(struct writer *w); /* the marks tell that the batch was executed */

/* What to poll for: -1 if there is no connection. */
int writer_fd(const struct writer *w, short *events);

/* The connection is ready: moves bytes, reads replies. */
void writer_on_ready(struct writer *w);

/* Does what is due; returns how many ms may pass until the next call, or -1. */
int writer_on_time(struct writer *w, int64_t now_ms);

#endif
