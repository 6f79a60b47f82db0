/* begin.h: what the master makes sure of before the first event is read: nobody else can write any more, reading
 * continues at the right cursor, and the marks fit that cursor.
 *
 *   (letters.h: the dead letters are ours)     before anything is guarded
 *   (slots.h: the slots are taken)             a transaction of any earlier worker fails from now on
 *   WATCH owner:master                         what is written below fails if another firehosed takes the slots
 *   GET cursor · HMGET progress cursor relay   what was saved, its copy with the marks, and whose sequence it is
 *   GET status                                 another service that still writes keeps this key fresh: wait for its end
 *   TYPE stream
 *   HMGET progress 0 … 63                      nothing can change the marks now
 *   [XREVRANGE stream …]                       what another service has left there (inherited.h)
 *   MULTI · [DEL progress cursor] · HSET progress relay … run … · SET cursor · HSET progress cursor … [marks] ·
 *     SET owner:master · SET owner:0 … 63 · EXEC
 *
 * The plan begins a new epoch (slots.h) in its own transaction. So an older epoch in an owner key proves that Redis is
 * as it was before the plan: its marks may be those of another sequence, and higher. Then a rewind repeats the last
 * plan instead. */
#ifndef FIREHOSED_STORE_BEGIN_H
#define FIREHOSED_STORE_BEGIN_H

#include "begin_plan.h"
#include "inherited.h"
#include "letters.h"
#include "verify.h"

struct begin {
    struct session *session;
    struct verify *verify;
    struct letters *letters;
    const struct store_keys *keys;
    const struct store_hooks *hooks;
    struct owner_token *owner;
    struct begin_order order; /* what is wanted; done again if the connection breaks on the way */
    struct begin_found found;
    struct inherited inherited;
    struct begin_plan plan;
    struct owner_token planned;   /* the token that the plan writes; *owner once it is written */
    struct begin_order last_plan; /* the last one that began an epoch; a rewind begins none */
    bool found_outdated;          /* the owner showed that Redis is as it was before last_plan */
    bool is_outdated;             /* and it still is */
};

/* Wants this from now on, instead of what was wanted before, and starts. */
void begin_want(struct begin *b, struct begin_order order);

/* Does what is wanted from its first step on, if the connection is ready. */
void begin_start(struct begin *b);

static inline bool begin_is_under_way(const struct begin *b) { return b->order.kind != BEGIN_NOTHING; }

#endif
