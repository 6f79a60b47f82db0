/* begin_plan.h: decides where to read on, and how the marks are made to fit that. Pure: no clock, no Redis, no log.
 *
 * Where cursor and copy differ, somebody else has set the cursor (the service that ran meanwhile, an operator who wants
 * a replay). The cursor wins then, and marks above it are lowered to it. */
#ifndef FIREHOSED_STORE_BEGIN_PLAN_H
#define FIREHOSED_STORE_BEGIN_PLAN_H

#include "record.h"

enum begin_kind {
    BEGIN_NOTHING,
    BEGIN_FIRST,  /* this process has just started: it takes over from another firehosed */
    BEGIN_RELAY,  /* another relay, with keys of its own */
    BEGIN_REWIND, /* Redis has lost data: at the cursor that it still has; marks stay */
    BEGIN_ANEW,   /* the sequence has ended: marks are dropped, the cursor becomes the given one, or is deleted */
    BEGIN_AT,     /* at the given cursor */
    BEGIN_SLOTS,  /* only the slots are taken */
};

struct begin_order {
    enum begin_kind kind;
    struct optional cursor; /* BEGIN_AT, BEGIN_ANEW */
};

/* What Redis holds. */
struct begin_found {
    struct optional cursor;
    struct record record;
    struct marks marks;
    bool stream_is_gone; /* another type of key stands in its place */
};

struct begin_plan {
    struct optional cursor;      /* reading continues behind it; written with its copy */
    struct marks marks;          /* as they are to be */
    uint64_t lowered;            /* bit p: the mark of partition p has changed and is to be written */
    bool drops_saved;            /* the saved cursor and marks are deleted first */
    bool drops_another_relays;   /* they belong to another relay: the user is to be asked before */
};

struct begin_plan begin_plan(const struct begin_order *order, const struct begin_found *found);

#endif
