/* exactly-once.pml: the protocol between master, workers and Redis, for spin to try every interleaving of.
 *
 * doc/exactly-once.md says in words what is here in Promela. Each step bears the name of the C function that it stands
 * for. A step is atomic where the code or Redis makes it so; between any two of them a worker may be killed, a
 * connection may break, a master may die or another one may start. What a dead or disconnected client has sent stays
 * on its connection (a ghost): the rest of it is executed at any later time, or never.
 *
 * Claims, each an assert(): no event twice; none before an earlier one of its partition (none lost, order kept); marks
 * never go back; and when nothing can move any more (timeout) every event is in the stream: no deadlock, no standstill.
 *
 * Left out: what does not bear on these. The relay is "all events, from any cursor on"; frames that have not arrived
 * are frames that are not taken yet. TYPE checks, dead letters and payloads are none of its business. Redis loses data
 * as a whole (FAILOVERS): it goes back to what it held at an earlier time, and every connection breaks. An answer that
 * has reached its client stays readable.
 *
 * What can be set with -D is below; scripts/check-model knows which combinations are of interest. A name in MUTANTS
 * breaks one rule of the protocol, and must lead to the counter-example that is named there. */

#ifndef MASTERS
#define MASTERS 1 /* started one after the other, at any time, whether the one before is dead or alive */
#endif
#ifndef SLOTS
#define SLOTS 1 /* workers of a master */
#endif
#ifndef EVENTS
#define EVENTS 3
#endif
#ifndef KILLS
#define KILLS 2 /* of workers: one more generation each */
#endif
#ifndef LOSSES
#define LOSSES 2 /* of connections, with unknown outcome */
#endif
#ifndef ERRORS
#define ERRORS 1 /* transactions that Redis refuses as a whole (OOM, LOADING, READONLY) */
#endif
#ifndef SAVES
#define SAVES 0 /* of the cursor */
#endif
#ifndef RESIZES
#define RESIZES 0 /* changes of the number of workers */
#endif
#ifndef FAILOVERS
#define FAILOVERS 0 /* Redis goes back to an earlier state of its own */
#endif
#ifndef CONNECTIONS
#define CONNECTIONS 4 /* at once, those of the dead included */
#endif

/* MUTANTS, and what each leads to:
 *   NO_FENCING               doubled  transactions are not watched
 *   TWO_IN_FLIGHT            skipped  a second transaction is sent before the first is answered
 *   MARKS_OUTSIDE            doubled  marks are written behind EXEC, not in it
 *   NO_REREAD_MARKS          doubled  after a lost connection the batch is sent again without looking
 *   MARKS_BEFORE_TAKING      doubled  marks are not read again once the slot is taken
 *   NO_SELF_FENCING          doubled  a worker that reconnects does not fence what it sent before
 *   GET_BEFORE_WATCH         doubled  the owner is read before it is watched
 *   ACK_BEFORE_EXEC          stuck    frames are acked when they are sent
 *   CURSOR_BEFORE_COMMIT     stuck    the cursor tells what was read, not what is committed
 *   COMPARED_EARLIER         stuck    acks that came after the comparison with Redis move the cursor that is saved
 *   NO_SLOTS_AT_RESIZE       doubled  partitions move to other slots that are not taken first
 *   SAVE_UNGUARDED           doubled  the old master's last save goes between the new one's reads, or behind them
 *   FIT_UNWATCHED            doubled  a dead master's first transaction is not fenced
 *   SLOTS_UNWATCHED          doubled  a dead master's taking of all slots is not fenced: it undoes that of the live one */

#define PARTS 2
#define PART(seq) (((seq) + 1) % PARTS)
#define BIT(seq) (1 << (seq))
#define WORKERS (MASTERS * SLOTS)
#define TOKEN(i, g) (master[i].reign * 16 + (g)) /* of two, the greater one is the newer */
#define REIGN(token) ((token) / 16)              /* a number that only one instance has: slots.c */
#define MASTER_KEY SLOTS
#define NONE 255

/* ==== Redis ======================================================================================================= */

byte owner[SLOTS + 1]; /* owner_key:<slot>, and behind them owner_key:master; 0: nobody */
byte mark[PARTS];      /* progress_key: 0 … 63 */
byte cursor_key, copy; /* cursor_key, and the field "cursor" of progress_key */
byte newest[PARTS];    /* of the stream: the last seq of each partition. All before it are there, by assertion */

mtype = { FREE, LIVE, GHOST };                         /* a connection's client */
mtype = { NOTHING, ASK, TAKE, BATCH, MARKS,            /* what a worker sends: fencing.c, batch_finish() */
          GUARD, ALL_SLOTS, READ, FIT, SAVE };          /* what a master sends: begin.c, checkpoint_write() */
mtype = { UNKNOWN, DONE, NIL, REFUSED };               /* what EXEC answered */

typedef connection {
    mtype client = FREE;
    mtype request = NOTHING;
    byte step;               /* commands of the request that are executed */
    bool watches, dirty;     /* WATCH owner:<slot>, and whether it was touched since */
    byte slot, token;
    byte events;             /* BATCH: bits; FIT: partitions whose marks are lowered */
    byte events_behind;      /* TWO_IN_FLIGHT: of the second batch */
    byte cursor;             /* FIT, SAVE; answer of READ */
    byte copy;               /* answer of READ; TWO_IN_FLIGHT: events of the first batch, if it was executed */
    byte owner;              /* answer of GET */
    byte mark[PARTS];        /* answer of HMGET */
    mtype result = UNKNOWN;  /* set with the last answer */
    bool broken;             /* its server is gone: nothing is executed any more, but an answer may have arrived */
}
connection conn[CONNECTIONS];

byte kills = KILLS, losses = LOSSES, errors = ERRORS, saves = SAVES, resizes = RESIZES, failovers = FAILOVERS;

#if FAILOVERS > 0
typedef data { byte owner[SLOTS + 1]; byte mark[PARTS]; byte newest[PARTS]; byte cursor_key, copy; bool taken }
data replica; /* what Redis goes back to */
bool begun;   /* a master has begun: before, nobody can tell an old Redis from a new one */
#endif

/* Which of the statements is broken, for the trail. */
bool doubled, skipped, behind;

inline forget(c)
{
    conn[c].step = 0;
    conn[c].token = 0;
    conn[c].events = 0;
    conn[c].events_behind = 0;
}

inline forget_answer(c)
{
    conn[c].result = UNKNOWN;
    conn[c].owner = 0;
    conn[c].copy = 0;
    conn[c].cursor = 0;
    conn[c].mark[0] = 0;
    conn[c].mark[1] = 0;
}

inline release(c)
{
    forget(c);
    forget_answer(c);
    conn[c].client = FREE;
    conn[c].request = NOTHING;
    conn[c].slot = 0;
    conn[c].watches = false;
    conn[c].dirty = false;
    conn[c].broken = false;
}

/* All has been executed and answered. Nobody reads what a ghost is told. */
inline answered(c, how)
{
    forget(c);
    conn[c].request = NOTHING;
    conn[c].result = how;
    if
    :: conn[c].client == GHOST -> release(c)
    :: else
    fi
}

/* SET owner:<s>: whoever watches it is told at the next EXEC, even where the value is the same. */
inline set_owner(at, whom)
{
    owner[at] = whom;
    for (k : 0 .. CONNECTIONS - 1) {
        if
        :: conn[k].watches && conn[k].slot == at -> conn[k].dirty = true
        :: else
        fi
    }
}

inline watch(c)
{
    conn[c].watches = true
}

inline unwatch(c) /* EXEC, whatever its answer */
{
    conn[c].watches = false;
    conn[c].dirty = false;
}

#ifdef NO_FENCING
#define PASSES(c) true
#else
#define PASSES(c) (!conn[c].dirty)
#endif

inline xadd(seq)
{
    if
    :: seq <= newest[PART(seq)] -> doubled = true
    :: seq > newest[PART(seq)] + PARTS || (newest[PART(seq)] == 0 && seq > PARTS) -> skipped = true
    :: else -> newest[PART(seq)] = seq
    fi;
    assert(!doubled);
    assert(!skipped)
}

inline hset_marks(c)
{
    for (seq : 1 .. EVENTS) {
        if
        :: conn[c].events & BIT(seq) -> mark[PART(seq)] = seq
        :: else
        fi
    }
}

/* MULTI · XADD … · HSET marks · EXEC */
inline exec_batch(c)
{
    if
    :: !PASSES(c) -> conn[c].result = NIL
    :: PASSES(c) && errors > 0 -> errors--; conn[c].result = REFUSED
    :: PASSES(c) ->
        for (seq : 1 .. EVENTS) {
            if
            :: conn[c].events & BIT(seq) -> xadd(seq)
            :: else
            fi
        }
#ifndef MARKS_OUTSIDE
        hset_marks(c);
#endif
        conn[c].result = DONE
    fi;
    unwatch(c)
}

/* The next command on one connection, or the next transaction, which nothing comes between. */
inline execute(c)
{
    if
    /* fencing.c append_question(): WATCH owner · GET owner · HMGET marks */
#ifdef GET_BEFORE_WATCH
    :: conn[c].request == ASK && conn[c].step == 0 -> conn[c].owner = owner[conn[c].slot]; conn[c].step = 1
    :: conn[c].request == ASK && conn[c].step == 1 -> watch(c); conn[c].step = 2
#else
    :: conn[c].request == ASK && conn[c].step == 0 -> watch(c); conn[c].step = 1
    :: conn[c].request == ASK && conn[c].step == 1 -> conn[c].owner = owner[conn[c].slot]; conn[c].step = 2
#endif
    :: conn[c].request == ASK && conn[c].step == 2 ->
        conn[c].mark[0] = mark[0];
        conn[c].mark[1] = mark[1];
        how = DONE

    /* fencing.c ask_for_change(): MULTI · SET owner · EXEC, and ask() again behind it */
    :: conn[c].request == TAKE ->
        if
        :: PASSES(c) -> to = conn[c].slot; by = conn[c].token; set_owner(to, by)
        :: else
        fi;
        unwatch(c);
#ifdef MARKS_BEFORE_TAKING
        conn[c].owner = owner[conn[c].slot];
        watch(c);
        how = DONE
#else
        conn[c].request = ASK
#endif

    /* batch.c batch_finish(): the transaction · WATCH owner · GET owner */
    :: conn[c].request == BATCH && conn[c].step == 0 ->
        exec_batch(c);
#ifdef MARKS_OUTSIDE
        if
        :: conn[c].result == DONE -> conn[c].step = 9
        :: else -> conn[c].step = 1
        fi
    :: conn[c].request == BATCH && conn[c].step == 9 -> hset_marks(c); conn[c].step = 1
#else
        conn[c].step = 1
#endif
#ifdef GET_BEFORE_WATCH
    :: conn[c].request == BATCH && conn[c].step == 1 -> conn[c].owner = owner[conn[c].slot]; conn[c].step = 2
    :: conn[c].request == BATCH && conn[c].step == 2 ->
        watch(c);
#else
    :: conn[c].request == BATCH && conn[c].step == 1 -> watch(c); conn[c].step = 2
    :: conn[c].request == BATCH && conn[c].step == 2 ->
        conn[c].owner = owner[conn[c].slot];
#endif
        if
        :: conn[c].events_behind != 0 ->
            if
            :: conn[c].result == DONE -> conn[c].copy = conn[c].events
            :: else
            fi;
            conn[c].events = conn[c].events_behind;
            conn[c].events_behind = 0;
            conn[c].step = 0
        :: else -> how = conn[c].result
        fi

    /* slots.c slots_ask(): WATCH owner:master · GET owner:master */
    :: conn[c].request == GUARD && conn[c].step == 0 -> watch(c); conn[c].step = 1
    :: conn[c].request == GUARD && conn[c].step == 1 ->
        conn[c].owner = owner[MASTER_KEY];
        if
        :: conn[c].events == 0 -> how = DONE
        :: else -> conn[c].step = 2
        fi
    /* verify.c verify_ask(), for a save: HMGET progress 0 … 63 */
    :: conn[c].request == GUARD && conn[c].step == 2 ->
        conn[c].mark[0] = mark[0];
        conn[c].mark[1] = mark[1];
        how = DONE

    /* slots.c slots_take(): MULTI · SET owner:master · SET owner:0 … owner:63 · EXEC */
    :: conn[c].request == ALL_SLOTS ->
        if
#ifdef SLOTS_UNWATCHED
        :: true ->
#else
        :: PASSES(c) ->
#endif
            by = conn[c].token;
            for (to : 0 .. SLOTS) { set_owner(to, by) }
            unwatch(c);
            how = DONE
#ifndef SLOTS_UNWATCHED
        :: else -> unwatch(c); how = NIL
#endif
        fi

    /* begin.c on_slots(): WATCH owner:master · GET cursor · HMGET progress cursor … · HMGET progress 0 … 63 */
    :: conn[c].request == READ && conn[c].step == 0 ->
        watch(c);
        conn[c].step = 1
    :: conn[c].request == READ && conn[c].step == 1 -> conn[c].cursor = cursor_key; conn[c].step = 2
    :: conn[c].request == READ && conn[c].step == 2 -> conn[c].copy = copy; conn[c].step = 3
    :: conn[c].request == READ && conn[c].step == 3 ->
        conn[c].mark[0] = mark[0];
        conn[c].mark[1] = mark[1];
        how = DONE

    /* begin.c write_plan(): MULTI · SET cursor · HSET progress cursor … [marks] · EXEC */
    :: conn[c].request == FIT ->
#ifdef FIT_UNWATCHED
        if
        :: true ->
#else
        if
        :: PASSES(c) ->
#endif
            copy = conn[c].cursor;
            cursor_key = conn[c].cursor;
            for (p : 0 .. PARTS - 1) {
                if
                :: conn[c].events & BIT(p) -> mark[p] = conn[c].cursor
                :: else
                fi
            }
            unwatch(c);
#if FAILOVERS > 0
            begun = true;
#endif
            how = DONE
#ifndef FIT_UNWATCHED
        :: else -> unwatch(c); how = NIL
#endif
        fi

    /* src/store/checkpoint.c on_owner(): MULTI · SET owner:master · SET cursor · HSET progress cursor … · EXEC */
    :: conn[c].request == SAVE ->
        if
#ifdef SAVE_UNGUARDED
        :: true ->
#else
        :: PASSES(c) ->
            by = conn[c].token;
            set_owner(MASTER_KEY, by);
#endif
            cursor_key = conn[c].cursor;
            copy = conn[c].cursor
#ifndef SAVE_UNGUARDED
        :: else
#endif
        fi;
        unwatch(c);
        how = DONE
    fi;
    if
    :: how != UNKNOWN -> answered(c, how)
    :: else
    fi
}

#define HAS_REQUEST(n) (conn[n].request != NOTHING && !conn[n].broken)
#define IS_GHOST(n) conn[n].client == GHOST

#if FAILOVERS > 0
inline replicate()
{
    for (k : 0 .. SLOTS) { replica.owner[k] = owner[k] }
    for (p : 0 .. PARTS - 1) {
        replica.mark[p] = mark[p];
        replica.newest[p] = newest[p]
    }
    replica.cursor_key = cursor_key;
    replica.copy = copy;
    replica.taken = true
}

inline promote()
{
    for (k : 0 .. SLOTS) {
        owner[k] = replica.owner[k];
        replica.owner[k] = 0
    }
    for (p : 0 .. PARTS - 1) {
        mark[p] = replica.mark[p];
        newest[p] = replica.newest[p];
        replica.mark[p] = 0;
        replica.newest[p] = 0
    }
    cursor_key = replica.cursor_key;
    copy = replica.copy;
    replica.cursor_key = 0;
    replica.copy = 0;
    replica.taken = false;
    for (c : 0 .. CONNECTIONS - 1) {
        if
        :: conn[c].client == GHOST -> release(c)
        :: conn[c].client == LIVE ->
            conn[c].broken = true;
            conn[c].watches = false;
            conn[c].dirty = false;
            conn[c].request = NOTHING;
            forget(c);
            if
            :: conn[c].result == UNKNOWN -> forget_answer(c) /* half an answer */
            :: else
            fi
        :: else
        fi
    }
}
#endif

active proctype Redis()
{
    byte c, k, seq, to, by, p;
    mtype how = UNKNOWN; /* the last answer, once it is there */
end:
    do
    :: atomic {
        if
        :: HAS_REQUEST(0) -> c = 0
        :: HAS_REQUEST(1) -> c = 1
        :: HAS_REQUEST(2) -> c = 2
#if CONNECTIONS > 3
        :: HAS_REQUEST(3) -> c = 3
#endif
#if CONNECTIONS > 4
        :: HAS_REQUEST(4) -> c = 4
#endif
        fi;
        execute(c);
        c = 0; k = 0; seq = 0; to = 0; by = 0; p = 0; how = UNKNOWN
      }
    :: atomic { /* the rest of it never arrives */
        if
        :: IS_GHOST(0) -> c = 0
        :: IS_GHOST(1) -> c = 1
        :: IS_GHOST(2) -> c = 2
#if CONNECTIONS > 3
        :: IS_GHOST(3) -> c = 3
#endif
#if CONNECTIONS > 4
        :: IS_GHOST(4) -> c = 4
#endif
        fi;
        release(c);
        c = 0
      }
#if FAILOVERS > 0
    :: atomic { failovers > 0 && begun && !replica.taken -> replicate(); k = 0; p = 0 }
    :: atomic { replica.taken -> failovers--; promote(); c = 0; k = 0; p = 0 }
#endif
    od
}

/* ==== what a client does with its connection ====================================================================== */

inline find_free(c)
{
    c = 0;
    do
    :: c < CONNECTIONS && conn[c].client != FREE -> c++
    :: else -> break
    od
}

#define A_CONNECTION_IS_FREE (conn[0].client == FREE || conn[1].client == FREE || conn[2].client == FREE || \
                              conn[CONNECTIONS - 1].client == FREE || conn[CONNECTIONS - 2].client == FREE || \
                              conn[CONNECTIONS - 3].client == FREE)

inline ask(c, what) { forget_answer(c); conn[c].request = what }

/* The client closes it, or is killed: what it has sent is still under way. */
inline part_with(c)
{
    if
    :: c == NONE
    :: c != NONE && (conn[c].request == NOTHING || conn[c].broken) -> release(c)
    :: c != NONE && conn[c].request != NOTHING && !conn[c].broken -> conn[c].client = GHOST
    fi;
    c = NONE
}

/* ==== the master ================================================================================================== */

mtype = { OFF, GUARDING, SAVING, TAKING, READING, FITTING, RUNNING, DRAINING, REWINDING, DEAD };

typedef instance {
    mtype state = OFF;
    bool resizing;         /* GUARDING and TAKING are those of a resize */
    byte reign;            /* 0: none yet */
    mtype saving = OFF;    /* GUARDING, then SAVING, beside RUNNING */
    byte generation;       /* owner_token.generation: rises with each worker, each taking of slots */
    byte size;             /* workers: partition p belongs to slot p % size */
    byte first;            /* the cursor it began with */
    byte done;             /* ledger.c: bits of events that are acked */
    byte known[PARTS];     /* progress.h known_marks: in memory shared with its workers, outlives them */
    bool rewinding;        /* it begins again, as Redis has lost data */
    byte to_save;          /* the cursor that is being saved */
    byte asked[PARTS];     /* what was known when Redis was asked for its marks */
}
instance master[MASTERS];
byte store_conn[MASTERS] = NONE;

#define OWNS(i, s, seq) (PART(seq) % master[i].size == (s))

/* ==== the worker ================================================================================================== */

mtype = { GONE, OFFLINE, CLAIMING, IDLE, IN_FLIGHT, COMMITTED };

typedef process {
    mtype state = GONE;
    byte token;
    bool is_fenced;        /* the slot was taken on this connection */
    bool has_marks;
    byte marks[PARTS];     /* worker.c: the last seq of each partition that is in a batch, or in Redis */
    byte taken;            /* the last frame that was taken from the channel */
    byte batch;            /* in flight, or to be sent again: bits */
    bool ask_again;        /* the guard told of another owner */
}
process worker[WORKERS];
byte worker_conn[WORKERS] = NONE;

inline worker_forget(w)
{
    worker[w].is_fenced = false;
    worker[w].has_marks = false;
    worker[w].marks[0] = 0;
    worker[w].marks[1] = 0;
    worker[w].taken = 0;
    worker[w].batch = 0;
    worker[w].ask_again = false;
    worker[w].token = 0;
    worker[w].state = GONE;
}

inline worker_exit(w)
{
    part_with(worker_conn[w]);
    worker_forget(w)
}

/* dispatch.c, ledger.c: an ack for all up to the last frame taken. It stands even if the worker dies right after. */
inline send_ack(i, s, w)
{
    for (seq : 1 .. EVENTS) {
        if
        :: OWNS(i, s, seq) && seq <= worker[w].taken -> master[i].done = master[i].done | BIT(seq)
        :: else
        fi
    }
}

/* transitions.c rewind_sequence() */
inline data_lost(i)
{
#if FAILOVERS > 0
    behind = false;
    if
    :: master[i].state == RUNNING ->
        master[i].state = REWINDING;
        master[i].saving = OFF;
        part_with(store_conn[i])
    :: else /* it is dead, or rewinds already */
    fi
#else
    assert(!behind) /* Redis loses nothing here */
#endif
}

/* writer.c send_batch() */
inline send_batch(w)
{
    forget_answer(worker_conn[w]);
    conn[worker_conn[w]].request = BATCH;
    conn[worker_conn[w]].events = worker[w].batch;
    worker[w].state = IN_FLIGHT
}

inline begin_fencing(w)
{
    ask(worker_conn[w], ASK);
    worker[w].state = CLAIMING
}

/* writer.c end_batch(): the batch is in Redis for certain */
inline take_as_committed(i, w)
{
    for (seq : 1 .. EVENTS) {
        if
        :: worker[w].batch & BIT(seq) -> master[i].known[PART(seq)] = seq
        :: else
        fi
    }
    worker[w].batch = 0;
    worker[w].state = COMMITTED
}

/* pool.c spawn(): the master has reaped the one before. ledger_unsend(): what is not acked is sent again. */
inline spawn(i, s, w)
{
    master[i].generation++;
    worker[w].token = TOKEN(i, master[i].generation);
    worker[w].state = OFFLINE;
    worker[w].taken = EVENTS;
    for (seq : 1 .. EVENTS) {
        if
        :: OWNS(i, s, seq) && seq > master[i].first && !(master[i].done & BIT(seq)) && seq <= worker[w].taken ->
            worker[w].taken = seq - 1
        :: else
        fi
    }
}

/* worker.c decode_arrived(), batch_finish(): some of the frames that are there, in order; those that are in the stream
 * already only count. */
inline build_batch(i, s, w)
{
    seq = worker[w].taken + 1;
    do
    :: seq <= EVENTS && OWNS(i, s, seq) ->
        worker[w].taken = seq;
        if
        :: seq > worker[w].marks[PART(seq)] ->
            worker[w].batch = worker[w].batch | BIT(seq);
            worker[w].marks[PART(seq)] = seq
        :: else
        fi;
        if
        :: true -> seq++   /* it has arrived, too */
        :: worker[w].batch != 0 -> break
        fi
    :: seq <= EVENTS && !OWNS(i, s, seq) -> seq++
    :: seq > EVENTS -> break
    od
}

#define HAS_MORE(i, s, w) \
    ((EVENTS >= 1 && worker[w].taken < 1 && OWNS(i, s, 1)) || \
     (EVENTS >= 2 && worker[w].taken < 2 && OWNS(i, s, 2)) || \
     (EVENTS >= 3 && worker[w].taken < 3 && OWNS(i, s, 3)) || \
     (EVENTS >= 4 && worker[w].taken < 4 && OWNS(i, s, 4)))

/* fencing.c batch_was_executed(): a transaction is executed whole or not at all */
inline was_executed(w, c)
{
    executed = worker[w].batch != 0;
    for (seq : 1 .. EVENTS) {
        if
        :: (worker[w].batch & BIT(seq)) && conn[c].mark[PART(seq)] < seq -> executed = false
        :: else
        fi
    }
#ifdef NO_REREAD_MARKS
    executed = false
#endif
}

/* fencing.c compare_marks(), of a slot that is ours */
inline compare_marks(i, s, w, c)
{
    for (seq : 1 .. EVENTS) {
        if
        :: OWNS(i, s, seq) && conn[c].mark[PART(seq)] < master[i].known[PART(seq)] -> behind = true
        :: else
        fi
    }
    if
    :: behind -> data_lost(i); worker_exit(w) /* exit(IPC_EXIT_MARKS_LOST) */
    :: else -> accept_marks(i, s, w, c)
    fi
}

inline accept_marks(i, s, w, c)
{
    was_executed(w, c);
    if
    :: !worker[w].has_marks ->
        worker[w].has_marks = true;
        for (p : 0 .. PARTS - 1) {
            worker[w].marks[p] = conn[c].mark[p];
            if
            :: p % master[i].size == s -> master[i].known[p] = conn[c].mark[p]
            :: else
            fi
        }
    :: else
    fi;
    if
    :: executed -> take_as_committed(i, w)
    :: !executed && worker[w].batch != 0 -> send_batch(w)
    :: !executed && worker[w].batch == 0 -> worker[w].state = IDLE
    fi;
    forget_answer(c)
}

/* fencing.c fencing_decide() */
#ifdef NO_SELF_FENCING
#define IS_MINE(w, c) (conn[c].owner == worker[w].token)
#else
#define IS_MINE(w, c) (conn[c].owner == worker[w].token && worker[w].is_fenced)
#endif
#define TAKEN_OVER(w, c) (REIGN(conn[c].owner) > REIGN(worker[w].token))

inline decide(i, s, w, c)
{
    if
    :: IS_MINE(w, c) -> compare_marks(i, s, w, c)
    /* The slot is an earlier firehosed's again: Redis has lost data. */
    :: conn[c].owner != 0 && REIGN(conn[c].owner) < REIGN(worker[w].token) ->
        behind = true;
        data_lost(i);
        worker_exit(w)
    :: TAKEN_OVER(w, c) ->
        worker_exit(w);
        part_with(store_conn[i]);
        master[i].saving = OFF;
        master[i].state = DEAD /* transitions.c transition_on_taken_over(): it kills the others, and leaves */
    :: !TAKEN_OVER(w, c) && conn[c].owner > worker[w].token -> worker_exit(w) /* exit(IPC_EXIT_OBSOLETE) */
    :: !IS_MINE(w, c) && conn[c].owner <= worker[w].token &&
       (conn[c].owner == 0 || REIGN(conn[c].owner) == REIGN(worker[w].token)) -> /* fencing_decide(): FENCING_TAKE_SLOT */
        worker[w].is_fenced = true;
#ifdef MARKS_BEFORE_TAKING
        conn[c].result = UNKNOWN;
        conn[c].request = TAKE;
#else
        ask(c, TAKE);
#endif
        conn[c].token = worker[w].token
    fi
}

#define MAY_BREAK(c) (c != NONE && (losses > 0 || conn[c].broken))
inline break_connection(c)
{
    if
    :: conn[c].broken
    :: !conn[c].broken -> losses--
    fi
}

#define ME worker[w]
#define MASTER master[i]

proctype Worker(byte i; byte s)
{
    byte w = i * SLOTS + s, c, seq, p;
    bool executed;
end:
    do
    /* pool.c on_respawn(), pool_start() */
    :: atomic { ME.state == GONE && MASTER.state == RUNNING && s < MASTER.size -> spawn(i, s, w); seq = 0 }

    /* writer.c writer_connected(): logged in, the first question leaves at once */
    :: atomic { ME.state == OFFLINE && A_CONNECTION_IS_FREE ->
        find_free(c);
        conn[c].client = LIVE;
        conn[c].slot = s;
        worker_conn[w] = c;
        begin_fencing(w);
        c = 0
      }

    /* fencing.c fencing_take(): all answers are there */
    :: atomic { ME.state == CLAIMING && conn[worker_conn[w]].result == DONE ->
        c = worker_conn[w];
        decide(i, s, w, c);
        c = 0; seq = 0; p = 0; executed = false
      }

    /* worker.c turn(), send_ready(): never while another one is in flight */
    :: atomic { ME.state == IDLE && MASTER.state == RUNNING && HAS_MORE(i, s, w) ->
        build_batch(i, s, w);
        if
        :: ME.batch != 0 ->
            send_batch(w);
#ifdef ACK_BEFORE_EXEC
            send_ack(i, s, w)
#endif
        :: else -> send_ack(i, s, w)
        fi;
        seq = 0
      }
#ifdef TWO_IN_FLIGHT
    :: atomic { ME.state == IN_FLIGHT && conn[worker_conn[w]].request == BATCH && conn[worker_conn[w]].events_behind == 0 &&
                MASTER.state == RUNNING && HAS_MORE(i, s, w) ->
        p = ME.batch;
        ME.batch = 0;
        build_batch(i, s, w);
        conn[worker_conn[w]].events_behind = ME.batch;
        ME.batch = ME.batch | p;
        seq = 0; p = 0
      }
#endif

    /* writer.c finish_transaction() */
    :: atomic { ME.state == IN_FLIGHT && conn[worker_conn[w]].result == DONE && conn[worker_conn[w]].request == NOTHING ->
        ME.ask_again = conn[worker_conn[w]].owner != ME.token;
        forget_answer(worker_conn[w]);
        take_as_committed(i, w);
        seq = 0
      }
    :: atomic { ME.state == IN_FLIGHT && conn[worker_conn[w]].request == NOTHING &&
                (conn[worker_conn[w]].result == NIL || conn[worker_conn[w]].result == REFUSED) ->
#ifdef TWO_IN_FLIGHT
        ME.batch = ME.batch & ~conn[worker_conn[w]].copy; /* the first of the two was executed */
#endif
        begin_fencing(w) /* retry_later() */
      }

    /* worker.c account_for(): a step of its own, the worker may die in front of it */
    :: atomic { ME.state == COMMITTED ->
        send_ack(i, s, w);
        if
        :: ME.ask_again -> ME.ask_again = false; begin_fencing(w)
        :: else -> ME.state = IDLE
        fi;
        seq = 0
      }

    /* worker.c all_is_done(): its channel has ended, what it had is written */
    :: atomic { ME.state == IDLE && MASTER.state == DRAINING -> worker_exit(w) }

    /* -- what may happen to it at any time -- */

    /* writer.c lose() */
    :: atomic { MAY_BREAK(worker_conn[w]) ->
        break_connection(worker_conn[w]);
        part_with(worker_conn[w]);
        ME.is_fenced = false;
        if
        :: ME.state == COMMITTED -> ME.ask_again = false; send_ack(i, s, w)
        :: else
        fi;
        ME.state = OFFLINE;
        seq = 0
      }

    /* kill -9, a crash, or pool_check() */
    :: atomic { kills > 0 && ME.state != GONE && MASTER.state != DEAD -> kills--; worker_exit(w) }

#if FAILOVERS > 0
    :: atomic { ME.state != GONE && MASTER.state == REWINDING -> worker_exit(w) } /* pool.c pool_abandon() */
#endif

    /* its master is gone: it may live on for a while */
    :: atomic { ME.state != GONE && MASTER.state == DEAD -> worker_exit(w) }
    od
}

/* ---- begin, resize, save, die ---- */

inline master_connect(i)
{
    find_free(c);
    conn[c].client = LIVE;
    conn[c].slot = MASTER_KEY;
    store_conn[i] = c;
    ask(c, GUARD);
    master[i].state = GUARDING;
    c = 0
}

/* ledger.c ledger_cursor(): all up to it is done */
inline tail(i)
{
    cursor = master[i].first;
    do
    :: cursor < EVENTS && (master[i].done & BIT(cursor + 1)) -> cursor++
    :: else -> break
    od
}

#define ALL_GONE(i) (worker[(i) * SLOTS].state == GONE && worker[(i) * SLOTS + SLOTS - 1].state == GONE)
#define ANSWER conn[store_conn[i]]
#define BEGINS(i) (master[i].state == GUARDING || master[i].state == TAKING || master[i].state == READING || \
                   (master[i].state == FITTING && conn[store_conn[i]].result == UNKNOWN))

proctype Master(byte i)
{
    byte c, cursor, p;
end:
    do
    /* master.c master_run(), store_begin(): at any time after the one before */
    :: atomic { MASTER.state == OFF && (i == 0 || master[i - 1].state != OFF) && A_CONNECTION_IS_FREE ->
        MASTER.size = SLOTS;
        master_connect(i)
      }

    /* begin.c on_owner(): slots_next_token(), slots_take() */
    :: atomic { MASTER.state == GUARDING && ANSWER.result == DONE ->
        if
        :: (MASTER.resizing || MASTER.rewinding) && REIGN(ANSWER.owner) > MASTER.reign ->
            part_with(store_conn[i]);
            MASTER.state = DEAD /* master.c on_taken_over() */
        :: else ->
            if
            :: !MASTER.resizing && !MASTER.rewinding && REIGN(ANSWER.owner) > MASTER.reign ->
                MASTER.reign = REIGN(ANSWER.owner) + 1;
                MASTER.generation = 0
            :: !MASTER.resizing && !MASTER.rewinding && REIGN(ANSWER.owner) <= MASTER.reign ->
                MASTER.reign++;
                MASTER.generation = 0
            :: MASTER.resizing || MASTER.rewinding
            fi;
            MASTER.generation++;
            ask(store_conn[i], ALL_SLOTS);
            ANSWER.token = TOKEN(i, MASTER.generation);
            MASTER.state = TAKING
        fi
      }
    :: atomic { MASTER.state == TAKING && ANSWER.result == NIL -> /* somebody did the same at the same time */
        ask(store_conn[i], GUARD);
        MASTER.state = GUARDING
      }
    :: atomic { MASTER.state == TAKING && ANSWER.result == DONE ->
        if
        :: MASTER.resizing -> /* on_slots_taken() */
            part_with(store_conn[i]);
            MASTER.resizing = false;
            MASTER.state = RUNNING
        :: else ->
            ask(store_conn[i], READ);
            MASTER.state = READING
        fi
      }

    /* begin_plan(), begin.c write_plan(): marks above a cursor that was set from outside are lowered to it */
    :: atomic { MASTER.state == READING && ANSWER.result == DONE ->
        MASTER.first = ANSWER.cursor;
        if
        :: MASTER.rewinding && ANSWER.copy < ANSWER.cursor -> MASTER.first = ANSWER.copy /* begin_plan.c older() */
        :: else
        fi;
        for (p : 0 .. PARTS - 1) {
            if
            :: ANSWER.mark[p] > ANSWER.cursor && ANSWER.copy != ANSWER.cursor && !MASTER.rewinding ->
                ANSWER.events = ANSWER.events | BIT(p)
            :: else
            fi
        }
        forget_answer(store_conn[i]);
        ANSWER.request = FIT;
        ANSWER.cursor = MASTER.first;
        MASTER.state = FITTING;
        p = 0
      }
    :: atomic { MASTER.state == FITTING && ANSWER.result == DONE -> /* master.c on_begun() */
        part_with(store_conn[i]);
        MASTER.rewinding = false;
        MASTER.state = RUNNING
      }
#if FAILOVERS > 0
    /* transitions.c rewind_when_quiet() */
    :: atomic { MASTER.state == REWINDING && ALL_GONE(i) && A_CONNECTION_IS_FREE ->
        MASTER.rewinding = true;
        MASTER.done = 0;
        MASTER.known[0] = 0;
        MASTER.known[1] = 0;
        master_connect(i)
      }
#endif
    /* Somebody else has taken the slots since: session_lose(), and all of it again after a while. Two that begin at once
     * take turns no longer than the back-off is shorter than a beginning: here, the other one has begun. */
    :: atomic { MASTER.state == FITTING && ANSWER.result == NIL && (i == 0 || !BEGINS(i - 1)) &&
                (i == MASTERS - 1 || !BEGINS(i + 1)) ->
        ask(store_conn[i], GUARD);
        MASTER.state = GUARDING
      }
    /* The connection broke: session_lose(), and all of it again. */
    :: atomic { MAY_BREAK(store_conn[i]) && MASTER.state != RUNNING && A_CONNECTION_IS_FREE ->
        break_connection(store_conn[i]);
        part_with(store_conn[i]);
        master_connect(i)
      }

    /* src/store/checkpoint.c checkpoint_write(), on_owner() */
    :: atomic { saves > 0 && MASTER.state == RUNNING && MASTER.saving == OFF && A_CONNECTION_IS_FREE ->
        saves--;
        find_free(c);
#ifdef SAVE_UNGUARDED
        tail(i);
        conn[c].client = GHOST;
        conn[c].request = SAVE;
        conn[c].token = TOKEN(i, MASTER.generation);
        conn[c].cursor = cursor;
        cursor = 0;
#else
        conn[c].client = LIVE;
        conn[c].slot = MASTER_KEY;
        store_conn[i] = c;
        ask(c, GUARD);
        conn[c].events = 1; /* with the marks */
        tail(i);
        MASTER.to_save = cursor;
        MASTER.asked[0] = MASTER.known[0];
        MASTER.asked[1] = MASTER.known[1];
        cursor = 0;
        MASTER.saving = GUARDING;
#endif
        c = 0
      }
    :: atomic { MASTER.saving == GUARDING && MASTER.state == RUNNING && ANSWER.result == DONE ->
        if
        :: REIGN(ANSWER.owner) > MASTER.reign -> MASTER.state = DEAD; MASTER.saving = OFF; part_with(store_conn[i])
        :: REIGN(ANSWER.owner) <= MASTER.reign && /* verify.c verify_compare() */
           ((ANSWER.owner != 0 && REIGN(ANSWER.owner) < MASTER.reign) || ANSWER.mark[0] < MASTER.asked[0] ||
            ANSWER.mark[1] < MASTER.asked[1]) ->
            behind = true;
            data_lost(i)
        :: else ->
            cursor = MASTER.to_save;
#ifdef COMPARED_EARLIER
            tail(i);
#endif
#ifdef CURSOR_BEFORE_COMMIT
            cursor = EVENTS;
#endif
            ask(store_conn[i], SAVE);
            ANSWER.token = TOKEN(i, MASTER.generation);
            ANSWER.cursor = cursor;
            MASTER.saving = SAVING;
            cursor = 0
        fi
      }
    :: atomic { MASTER.saving == SAVING && ANSWER.result == DONE -> MASTER.saving = OFF; part_with(store_conn[i]) }
    :: atomic { MASTER.saving != OFF && MAY_BREAK(store_conn[i]) ->
        break_connection(store_conn[i]);
        MASTER.saving = OFF;
        part_with(store_conn[i])
      }

#if RESIZES > 0
    /* reload.c reload_apply(), pool_drain() */
    :: atomic { resizes > 0 && MASTER.state == RUNNING && MASTER.saving == OFF -> resizes--; MASTER.state = DRAINING }
    /* reload_finish(): ledger_reroute(), store_take_slots() */
    :: atomic { MASTER.state == DRAINING && ALL_GONE(i) && A_CONNECTION_IS_FREE ->
        MASTER.size = SLOTS + 1 - MASTER.size;
#ifdef NO_SLOTS_AT_RESIZE
        MASTER.state = RUNNING
#else
        MASTER.resizing = true;
        master_connect(i)
#endif
      }
#endif

    /* kill -9. Its workers may live on for a while. A killed master is started again: so either another one is still
     * to come, or this one has lost its keys to another already. */
    :: atomic { MASTER.state != OFF && MASTER.state != DEAD &&
                (master[MASTERS - 1].state == OFF ||
                 (MASTER.state != GUARDING && MASTER.state != TAKING && REIGN(owner[0]) > MASTER.reign)) ->
        part_with(store_conn[i]);
        MASTER.saving = OFF;
        MASTER.state = DEAD
      }
    od
}

#define ALL_DELIVERED (newest[PART(EVENTS)] == EVENTS && newest[PART(EVENTS - 1)] == EVENTS - 1)

init
{
    byte n;
    atomic {
#ifdef OUTSIDE_CURSOR
        /* An operator has set the cursor back to 0: events 1 and 2 are to be written again. */
        mark[0] = 1;
        mark[1] = 2;
        copy = 2;
#endif
        for (n : 0 .. MASTERS - 1) { run Master(n) }
        for (n : 0 .. WORKERS - 1) { run Worker(n / SLOTS, n % SLOTS) }
        n = 0
    }
    timeout -> assert(ALL_DELIVERED)
}
