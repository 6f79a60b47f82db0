/* verify.h: is Redis older than what this process knows to be in it? After a failover or a crash of Redis, a new
 * connection may lead to one that is. Until that is excluded, no cursor may be saved: it could be ahead of the events.
 * */
#ifndef FIREHOSED_STORE_VERIFY_H
#define FIREHOSED_STORE_VERIFY_H

#include "record.h"

enum verify_result {
    VERIFY_INTACT,
    VERIFY_KEY_GONE,      /* nothing is left to compare with */
    VERIFY_CURSOR_IS_OLD, /* the copy of the cursor is below the cursor that was saved */
    VERIFY_MARK_IS_OLD,   /* a mark is below what was committed */
};

/* What was known before the question, and what Redis answered. */
struct verify_case {
    struct optional saved;
    struct marks known;
    struct record record;
    struct marks marks;
};

/* Compares the two. *partition: the first one whose mark is too old. */
enum verify_result verify_compare(const struct verify_case *v, int *partition);

struct verify {
    struct session *session;
    const struct store_keys *keys;
    const struct store_hooks *hooks;
    struct known_marks *known;
    bool has_baseline;        /* this process has begun once: there is something to compare with */
    bool is_verified;         /* on this connection: the cursor may be saved */
    struct optional saved;    /* the cursor that was saved or loaded last */
    struct record record;     /* as it lay in Redis when this connection was made, or at the last beginning */
    struct verify_case asked; /* the comparison that is under way */
};

/* The connection is ready. Compares, unless there is no baseline, or the caller is about to replace it. */
void verify_connected(struct verify *v, bool may_compare);

/* Sets the baseline anew: Redis holds this cursor, its copy and these marks. knows_relay: whether the record named a
 * relay before that was written. */
void verify_set_baseline(struct verify *v, struct optional cursor, bool knows_relay, const struct marks *marks);

#endif
