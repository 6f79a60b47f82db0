/* fencing.h: what a worker makes sure of before it writes: the slot is its own, the keys have the right type, and the
 * marks are known. All of it is asked in one round trip:
 *
 *   WATCH owner · GET owner · TYPE stream · TYPE dead letters · HMGET progress 0 … 63 · HGET progress relay
 *
 * WATCH stands first: whatever changes the owner after it makes the next EXEC fail. If the answers call for a change
 * (the slot is to be taken, marks are to be put back), that is made in a transaction under the watch, and all is asked
 * again. On each new connection the slot is taken anew, even if it is ours: a transaction that this worker has sent
 * over an earlier connection may still be on its way. It was watched under the same owner, and would be executed beside
 * its retry. */
#ifndef FIREHOSED_WORKER_FENCING_H
#define FIREHOSED_WORKER_FENCING_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "redis/progress.h"
#include "worker/batch.h"
#include "worker/setup.h"

/* Whose the slot is, by the token in its owner key. */
enum slot_standing {
    SLOT_NOBODYS,
    SLOT_OURS,
    SLOT_OF_PREDECESSOR,       /* of this master, with an older token */
    SLOT_OF_SUCCESSOR,         /* of this master */
    SLOT_OF_EARLIER_EPOCH,     /* of an earlier firehosed, or from before the master's last plan: Redis has lost data */
    SLOT_OF_LATER_FIREHOSED,
};

/* All that a decision rests on. */
struct fencing_case {
    enum slot_standing slot;
    bool must_take_slot; /* it was not taken on this connection yet */
    bool has_failed;     /* an answer is an error, or a key has the wrong type */
    bool has_read_marks;
    bool has_hash;       /* the progress key names a relay: it is not gone altogether */
    bool stream_is_gone; /* another type of key stands in its place */
    bool must_repair;    /* commands of the batch failed inside EXEC, while its marks were written */
    bool has_part_failed; /* the marks of such a batch are put back: its failure is to be told */
    uint64_t own;
    struct marks marks, known;
    const struct batch *batch; /* in flight when the connection broke, or to be sent again; or NULL */
};

enum fencing_step {
    FENCING_WAIT,        /* not all answers are there */
    FENCING_GO_ON,       /* the slot is ours, and the marks are as they should be */
    FENCING_GO_ON_COMMITTED, /* the same, and the batch was executed */
    FENCING_TAKE_SLOT,   /* and ask again */
    FENCING_WRITE_MARKS, /* of `partitions`, as they are known; and ask again */
    FENCING_RETRY_LATER, /* for the reason in `failure` */
    FENCING_LEAVE,       /* exit with exit_status */
};

struct fencing_decision {
    enum fencing_step step;
    uint64_t partitions; /* FENCING_WRITE_MARKS */
    int exit_status;     /* FENCING_LEAVE: enum ipc_exit */
};

/* Pure. */
struct fencing_decision fencing_decide(const struct fencing_case *c);

struct fencing {
    const struct config *config;
    const char *owner_key, *progress_key;
    struct owner_token owner;
    uint64_t own;
    union known_page *known;
    struct buffer request; /* the next question, as RESP */
    size_t replies;        /* to it, so far */
    struct fencing_case found;
    bool has_marks;        /* nothing may be decoded before */
    char holder[OWNER_TOKEN_BYTES];
    struct error failure;  /* the first error among the answers; "" if there is none */
    struct error partial;  /* why commands of the batch failed inside EXEC; "" if none did */
};

void fencing_init(struct fencing *f, const struct worker_setup *setup, const char *owner_key);
void fencing_fini(struct fencing *f);

/* There is a new connection: the slot is to be taken on it. */
void fencing_connected(struct fencing *f);

/* Commands of the batch failed inside EXEC, while its marks were written: the marks are to be put back. */
void fencing_must_repair(struct fencing *f, const struct error *why);

/* Puts the first question into f->request. */
void fencing_begin(struct fencing *f);

/* Takes one answer. With the last one it decides: FENCING_TAKE_SLOT and FENCING_WRITE_MARKS have put the next question
 * into f->request. */
struct fencing_decision fencing_take(struct fencing *f, const redisReply *reply, const struct batch *batch);

#endif
