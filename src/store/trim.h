/* trim.h: makes room in a full Redis, so that the pipeline does not stand for good.
 *
 * MAXLEN trims the stream with each hundredth XADD. A Redis without room refuses XADD, so nothing trims any more. So
 * the master looks once a second, and at the beginning of a connection. If Redis is full, or has just refused a write
 * and has no room for the workers' next transactions, and our streams have most of its memory, the master trims the
 * larger one with XTRIM, which a full Redis executes. It is the master's job alone: each worker would trim for what all
 * of them need.
 *
 *   (usage.h: INFO · XLEN …) · GET owner:master       is there room; are the slots ours, or about to be
 *   MEMORY USAGE stream · MEMORY USAGE dead letters   are these the cause
 *   XTRIM key MAXLEN n
 *
 * No WATCH guards XTRIM: if another firehosed takes over meanwhile, the same entries would be the next that it trims.
 * */
#ifndef FIREHOSED_STORE_TRIM_H
#define FIREHOSED_STORE_TRIM_H

#include "begin.h"
#include "usage.h"

enum { TRIM_STREAM, TRIM_DEAD_LETTERS, TRIM_KEYS };

/* All that a decision rests on. Sizes in bytes. */
struct trim_case {
    int64_t used, max; /* memory that counts against maxmemory; max 0: no limit */
    int64_t needed;    /* room for the workers' next transactions */
    bool was_refused;  /* Redis has just refused a write for lack of memory */
    struct {
        int64_t bytes, entries, max_len; /* max_len 0: the operator wants to keep all */
    } of[TRIM_KEYS];
};

enum trim_step {
    TRIM_NOTHING,   /* there is room */
    TRIM_ENTRIES,   /* down to `keep` entries */
    TRIM_NOT_OURS,  /* something else has most of the memory */
    TRIM_KEEPS_ALL, /* the larger stream may not be trimmed */
};

struct trim_decision {
    enum trim_step step;
    unsigned key;
    int64_t keep;
};

/* Pure. */
struct trim_decision trim_decide(const struct trim_case *c);

struct trim {
    struct session *session;
    const struct usage *usage;
    const struct verify *verify;
    const struct begin *begin;
    const struct owner_token *owner;
    void (*looked)(void *arg); /* called once after each trim_look() that asked, unless the connection is lost */
    void *arg;
    bool is_asking;
    struct trim_case found;
    struct trim_decision decision;
    int pause;     /* calls of trim_look() that do nothing, as it did not help the last time */
    int note_left; /* calls of trim_look() until the note is old */
    char note[STORE_CONCERN_BYTES];
    uint64_t trimmed; /* entries, since the start of this process */
    struct log_throttle told;
};

/* Looks whether Redis has room; to be called behind usage_ask(). Returns false if it does not ask. */
bool trim_look(struct trim *t);
void trim_on_lost(struct trim *t);

#endif
