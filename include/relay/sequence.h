/* sequence.h: how far this process has followed the relay's sequence, and the rules for what comes next. Pure: no
 * clock, no socket, no log. doc/running.md has the rules as a table.
 *
 *   a message ──sequence_decide()──▶ a decision ──the caller carries it out──▶ sequence_apply() */
#ifndef FIREHOSED_RELAY_SEQUENCE_H
#define FIREHOSED_RELAY_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/frame.h"
#include "base/optional.h"
#include "relay/failover.h"

enum {
    /* A relay may begin a little before the cursor that it was given, or repeat a little. Events further back, or a
     * longer run of old ones, belong to another sequence: a sequence of the network has billions of events. */
    SEQUENCE_SLACK = 1000,
    /* A larger gap between two messages is implausible: it is more than an hour of the whole network. One such seq in
     * the wild made consumers that believed it discard hours of events. */
    SEQUENCE_JUMP = 10 * 1000 * 1000,
    /* So many messages in a row that agree are believed against the last seq: one alone may be wrong itself. */
    SEQUENCE_CONSISTENT = 5,
    SEQUENCE_RECENT = 8,
};

/* A frame whose seq is implausibly far above the last one. It is the newest record of the ring until the next message
 * confirms or refutes it. */
struct held_frame {
    uint64_t id; /* of its record; 0: no frame is held */
    int64_t seq;
    bool is_wanted, is_duplicate;
    struct frame_peek peek; /* points into the ring, where the frame stays while it is held */
};

/* The newest seqs that were taken: those between two neighbours were not. */
struct recent_seqs {
    int64_t seq[SEQUENCE_RECENT]; /* a ring */
    size_t count;                 /* of all that were ever put in */
};

/* Messages in a row that were not above `last`. */
struct behind_run {
    size_t count;
    unsigned ascending;  /* how many of them, up to the newest, were each above the one before */
    int64_t first, last; /* of the ascending ones */
};

/* Zeroed is the beginning. */
struct sequence {
    struct optional last;  /* newest seq that was taken, or the cursor that was loaded: what to ask the relay for */
    bool asks_oldest;      /* where `last` is unknown: ask for the oldest event instead of live ones */
    bool is_first;         /* all events of this connection, if there were any, were far below `last` */
    struct optional saved; /* the cursor that is saved in Redis */
    struct optional begun; /* the cursor at which this process began to read this sequence */
    struct optional first; /* the cursor in front of what is read, until a cursor is saved */
    struct optional back;  /* a recent gap was a wrong jump: read again behind this cursor */
    struct optional went_back; /* the newest place that this sequence was read again from */
    struct optional wrong; /* where the wrong jump led to; until it is passed, largest_gap is smaller */
    int64_t largest_gap;   /* to be believed without the next message; 0: SEQUENCE_JUMP */
    struct held_frame held;
    struct recent_seqs recent;
    struct behind_run behind;
};

enum sequence_action {
    SEQUENCE_SKIP,      /* drop the message */
    SEQUENCE_DONE,      /* keep its place in the order of seqs, without a worker */
    SEQUENCE_TAKE,      /* give it to the worker of its partition */
    SEQUENCE_HOLD,      /* keep it until the next message tells whether its seq is plausible */
    SEQUENCE_WAIT,      /* leave it where it is: there is no room for its record */
    SEQUENCE_RECONNECT, /* drop the message and the connection */
    SEQUENCE_RESET,     /* drop the message: the relay's sequence is another one */
    SEQUENCE_GO_BACK,   /* drop the message: the last jump was wrong, read again from before it */
};

enum sequence_reason {
    BECAUSE_WANTED,          /* TAKE, HOLD, WAIT */
    BECAUSE_FILTERED,        /* DONE: the filter rejects it, or it names no repo */
    BECAUSE_DUPLICATE,       /* DONE: another relay has sent it before */
    BECAUSE_BEHIND,          /* SKIP: its seq is not above the last one */
    BECAUSE_INFO,            /* SKIP: an #info frame */
    BECAUSE_OUTDATED_CURSOR, /* SKIP: the #info frame that tells of a gap */
    BECAUSE_SEARCHING,       /* SKIP, RECONNECT: the place to begin at is not found yet */
    BECAUSE_RELAY_ERROR,     /* RECONNECT: an error frame */
    BECAUSE_FUTURE_CURSOR,   /* RESET: the error frame of a relay that does not know the cursor */
    BECAUSE_FAR_BELOW,       /* RESET: the first seqs of a connection are far below the cursor */
    BECAUSE_WENT_BACK,       /* RESET: too many messages in a row were not above the last seq */
    BECAUSE_WRONG_JUMP,      /* GO_BACK: the relay goes on inside a recent gap */
};

enum held_outcome { HELD_STAYS, HELD_CONFIRMED, HELD_IMPLAUSIBLE };

/* All that a decision rests on, beside the sequence. */
struct sequence_input {
    const struct frame_peek *peek;
    enum search_verdict search; /* of the search for the place to begin at */
    bool is_wanted;    /* it names a repo, and the filter lets it pass */
    bool is_duplicate; /* another relay has sent it before */
    bool has_room;     /* for another record in the ring */
};

struct sequence_decision {
    enum sequence_action action;
    enum sequence_reason reason;
    enum held_outcome held; /* what becomes of the held frame, before this message */
    uint16_t partition;     /* HOLD, TAKE: of its repo */
    bool begins;            /* it is the first event ever: the cursor in front of it is to be saved first */
};

/* Changes nothing. */
struct sequence_decision sequence_decide(const struct sequence *s, const struct sequence_input *in);

/* The decision was carried out: moves the sequence on. record: the id of the record of a HOLD; else 0. */
void sequence_apply(struct sequence *s, const struct sequence_input *in, const struct sequence_decision *d,
                    uint64_t record);

/* What to ask the relay for; unknown: live events. */
struct optional sequence_asks_for(const struct sequence *s);

/* The cursor to save and to show, where no event of this process is committed yet. */
struct optional sequence_cursor(const struct sequence *s);

/* A connection is up. Nothing may be held any more. */
void sequence_connected(struct sequence *s);

/* The held frame is gone: the relay will be asked for it again. */
void sequence_forget_held(struct sequence *s);

/* Reading goes on behind this cursor, which is saved in Redis. */
void sequence_continue_at(struct sequence *s, int64_t cursor);

/* Reading goes on behind this cursor, which Redis does not have yet. */
void sequence_continue_unsaved(struct sequence *s, int64_t cursor);

/* Reading goes on behind this cursor, from what this process knows. */
void sequence_go_back_to(struct sequence *s, int64_t cursor);

/* This process began to read the sequence at this cursor. */
void sequence_begin_at(struct sequence *s, int64_t cursor);

/* A cursor is saved. */
void sequence_saved(struct sequence *s, int64_t cursor);

/* Where no cursor is known: begin with the oldest event, or with live ones. */
void sequence_ask_oldest(struct sequence *s, bool oldest);

/* Does not go back from a wrong jump: reading goes on elsewhere. */
void sequence_forget_back(struct sequence *s);

/* Forgets everything: another sequence begins, or this one is read again from another place. */
void sequence_reset(struct sequence *s);

#endif
