/* verify.h: is Redis older than what this process knows to be in it? After a failover or a crash of Redis, a new
 * connection may lead to one that is. Each save of the cursor asks that anew, behind its guard: an ack may be the late
 * answer of a Redis that is gone, and a cursor in front of the events would lose them. */
#ifndef FIREHOSED_STORE_VERIFY_H
#define FIREHOSED_STORE_VERIFY_H

#include "record.h"
#include "slots.h"

enum verify_result {
    VERIFY_INTACT,
    VERIFY_TAKEN_OVER,    /* another firehosed owns the slots */
    VERIFY_OWNER_IS_OLD,  /* the owner is from before the last plan, or an earlier firehosed */
    VERIFY_KEY_GONE,      /* nothing is left to compare with */
    VERIFY_CURSOR_IS_OLD, /* the copy of the cursor is below the cursor that was saved */
    VERIFY_MARK_IS_OLD,   /* a mark is below what was committed */
};

/* What was known before the question, and what Redis answered. */
struct verify_case {
    enum standing standing;
    struct optional saved;
    struct marks known;
    struct record record;
    struct marks marks;
};

/* Compares the two. *partition: the first one whose mark is too old. */
enum verify_result verify_compare(const struct verify_case *v, int *partition);

typedef void verify_done(void *arg, bool is_intact);

struct verify {
    struct session *session;
    const struct store_keys *keys;
    const struct store_hooks *hooks;
    struct known_marks *known;
    const struct owner_token *owner;
    bool has_baseline;        /* this process has begun once: there is something to compare with */
    bool is_verified;         /* on this connection: the cursor may be saved */
    struct optional saved;    /* the cursor that was saved or loaded last */
    struct verify_case asked; /* the comparison that is under way: one at a time */
    verify_done *done;
    void *arg;
    bool knows_relay;         /* the record named a relay when it was read last */
};

/* The connection is ready. Compares, unless there is no baseline, or the caller is about to replace it. */
void verify_connected(struct verify *v, bool may_compare);

/* Compares what is known now with what Redis answers. Calls the hooks if it is not intact, and then `done` (NULL:
 * nobody). Only if no comparison is under way. */
void verify_ask(struct verify *v, verify_done *done, void *arg);

/* Calls the hooks if this process may not write any more, by the answer to slots_ask(). */
void verify_owner(struct verify *v, const redisReply *reply);

/* Sets the baseline anew: Redis holds this cursor, its copy and these marks. knows_relay: whether the record named a
 * relay before that was written. */
void verify_set_baseline(struct verify *v, struct optional cursor, bool knows_relay, const struct marks *marks);

#endif
