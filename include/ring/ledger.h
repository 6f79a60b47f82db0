/* ledger.h: the bounded ring of raw frames between the relay and the commit.
 *
 * The ring room: frames between their arrival and their commit, and which worker has which. It knows nothing of
 * sockets, processes or the content of frames.
 *
 * Bytes go from the relay's socket straight into the ring, and a worker reads them there. A frame stays where it is
 * until its worker has committed it, or has died. (Nobody has to know where the ring wraps: ring.h.)
 *
 *        tail                    window            head
 *         │ [record][record]…     │ bytes not yet    │
 *         ▼                       ▼ taken            ▼
 *   ──────████████████████████████░░░░░░░░░░░░░░░░░░─────────
 *
 * Invariants: tail <= window <= head <= tail + size (positions only rise; memory is position modulo size). Records
 * are in arrival order. Each routed record is in exactly one worker's queue, in order: first the sent ones, then
 * the unsent ones. The tail stands in front of the oldest record that is not committed: it is the cursor. */
#ifndef FIREHOSED_RING_LEDGER_H
#define FIREHOSED_RING_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ledger;

/* `bytes` is rounded up to whole pages; workers: how many queues there are. Returns NULL if that fails: *why. */
struct ledger *ledger_new(size_t bytes, unsigned workers, struct error *why);
void ledger_free(struct ledger *l);

/* The ring as the workers see it, of ledger_size_bytes(), mapped twice end to end. It belongs to the ledger. */
const uint8_t *ledger_view(const struct ledger *l);

/* The window: bytes that have arrived but are not taken yet, and how many more may be appended behind them. */
uint8_t *ledger_window(struct ledger *l, size_t *filled, size_t *room);

/* n bytes were appended to the window. */
void ledger_filled(struct ledger *l, size_t n);

/* Drops the window's last n bytes (fragments were joined). */
void ledger_shrink(struct ledger *l, size_t n);

/* Drops the first n bytes of the window without keeping a record (control frames, duplicates). */
void ledger_skip(struct ledger *l, size_t n);

/* Drops all of the window: the connection that filled it is gone. */
void ledger_clear_window(struct ledger *l);

/* What is kept of a frame. */
struct ledger_record {
    uint64_t id; /* rises by one a record, from 1 */
    int64_t seq; /* 0: none */
    size_t at; /* where in the view the frame begins */
    uint32_t len;
    uint8_t partition;
    uint8_t kind;
    uint8_t verdict; /* enum verdict; cause: why */
    uint8_t cause;
    bool is_suspect; /* it was with a worker that died */
};

/* Returns true if there is memory for another record. Otherwise the functions below that add one fail. */
bool ledger_has_room(struct ledger *l);

/* A frame with so many points is poison; the other two are the price of a death (see ledger_blame). */
enum { POISON_POINTS = 4, POINTS_OWN_DEATH = 2, POINTS_KILLED = 1 };

/* Takes the message at window[offset..offset+len) as a record of `worker`, and drops window[0..consumed).
 * Returns its id; 0 if memory is short: then the message is still in the window. */
uint64_t ledger_take(struct ledger *l, size_t offset, size_t len, size_t consumed, int64_t seq, uint16_t partition,
                     uint8_t kind, unsigned worker);

/* The same for a frame that may not belong to the sequence: no worker gets it, and the cursor stays in front of it. It
 * must still be the newest record when it is released (then it is its worker's), or dropped (as if it had never come).
 * */
uint64_t ledger_hold(struct ledger *l, size_t offset, size_t len, size_t consumed, int64_t seq, uint16_t partition,
                     uint8_t kind);
void ledger_release(struct ledger *l, uint64_t id);
void ledger_drop_held(struct ledger *l, uint64_t id, int64_t seq); /* seq: it counts as done; 0: it never came */

/* The same for a frame that needs no worker: it is committed at once, but holds its place in the order of seqs. */
bool ledger_take_done(struct ledger *l, size_t consumed, int64_t seq);

/* Gets the worker's next unsent record. Returns false if there is none. ledger_sent() moves past it. */
bool ledger_next_unsent(const struct ledger *l, unsigned worker, struct ledger_record *out);
/* Looks further: gets the unsent record after `previous` (an id), to gather many for one write. */
bool ledger_unsent_after(const struct ledger *l, uint64_t previous, struct ledger_record *out);
/* All records of the worker up to and with `id` are in its channel. */
void ledger_sent(struct ledger *l, unsigned worker, uint64_t id);

/* The worker has committed all its records up to and with `id`. Returns how many that were. Old acks, and acks
 * of ids that were never sent to this worker, change nothing. */
size_t ledger_commit(struct ledger *l, unsigned worker, uint64_t id);

/* The worker is gone: its uncommitted records count as unsent. suspect: one of them may have killed it, so its
 * successor gets them one by one. Returns how many records it had. */
size_t ledger_unsend(struct ledger *l, unsigned worker, bool suspect);

/* Returns true while some of the worker's records are to be sent one by one; after ledger_reroute() they may have been
 * another worker's. */
bool ledger_has_suspects(const struct ledger *l, unsigned worker);

/* Gets the worker's oldest record in flight. Returns false if there is none. */
bool ledger_outstanding(const struct ledger *l, unsigned worker, struct ledger_record *out);
/* Returns how many are in flight. */
size_t ledger_outstanding_count(const struct ledger *l, unsigned worker);

/* The record was alone with a worker that died. With POISON_POINTS it gets the verdict, and nobody decodes it any more.
 * Returns its points. */
unsigned ledger_blame(struct ledger *l, uint64_t id, unsigned points, uint8_t verdict, uint8_t cause);

/* Sets the verdict at once. */
void ledger_condemn(struct ledger *l, uint64_t id, uint8_t verdict);

/* Another number of workers: all uncommitted records are queued anew, as unsent. Returns false if the number is wrong.
 * */
bool ledger_reroute(struct ledger *l, unsigned workers);

/* Forgets all records and the window, to read the relay anew from an earlier point. No worker may still look at one.
 * Returns how many records were not committed. */
size_t ledger_reset(struct ledger *l);

/* Gets the seq of the last record before the oldest uncommitted one. Returns false if none was ever committed. */
bool ledger_cursor(const struct ledger *l, int64_t *seq);

/* Returns true if record `id` and all before it are committed. */
bool ledger_is_committed(const struct ledger *l, uint64_t id);

size_t ledger_used_bytes(const struct ledger *l);
size_t ledger_size_bytes(const struct ledger *l);
size_t ledger_record_count(const struct ledger *l);       /* not yet committed, or behind such a one */
unsigned ledger_workers(const struct ledger *l); /* for which it is routed */
size_t ledger_queue_length(const struct ledger *l, unsigned worker); /* of one worker, not committed */

#endif
