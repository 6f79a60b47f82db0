/* ledger.h: the bounded ring of raw frames between the relay and the commit.
 *
 * The master room: processes, the relay's connection, routing, keys for dashboards, control. It peeks at frames but
 * never decodes a record, and never waits in a call.
 *
 * Bytes go from the relay's socket straight into the ring, and there a worker reads them; a frame stays where it is
 * until its worker says that it is committed, or is dead. (ring.h: where it wraps nobody has to know.)
 *
 *        tail                    window            head
 *         │ [record][record]…     │ bytes not yet    │
 *         ▼                       ▼ taken            ▼
 *   ──────████████████████████████░░░░░░░░░░░░░░░░░░─────────
 *
 * Invariants: tail <= window <= head <= tail + size (positions only rise; memory is position modulo size). Records
 * are in arrival order. Each routed record is in exactly one worker's queue, in order: first those that were sent,
 * then those that were not. The tail stands in front of the oldest record that is not committed: it is the cursor. */
#ifndef FIREHOSED_RING_LEDGER_H
#define FIREHOSED_RING_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ledger;

/* `bytes` is rounded up to whole pages; workers is how many queues there are. NULL: *why. */
struct ledger *ledger_new(size_t bytes, unsigned workers, struct error *why);
void ledger_free(struct ledger *l);

/* The ring as the workers see it, of ledger_size_bytes(), mapped twice end to end. It belongs to the ledger. */
const uint8_t *ledger_view(const struct ledger *l);

/* The window: bytes that have arrived but are not taken yet, and how many more may be appended behind them. */
uint8_t *ledger_window(struct ledger *l, size_t *filled, size_t *room);

/* n bytes were appended to the window. */
void ledger_filled(struct ledger *l, size_t n);

/* The window's last n bytes are not wanted any more (fragments were joined). */
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

/* From how many points on a frame is poison, and what a death costs it (see ledger_blame). */
enum { POISON_POINTS = 4, POINTS_OWN_DEATH = 2, POINTS_KILLED = 1 };

/* Takes the message at window[offset..offset+len) as a record of `worker`, and drops window[0..consumed).
 * Returns its id; 0: no memory for another record, the message is still in the window. */
uint64_t ledger_take(struct ledger *l, size_t offset, size_t len, size_t consumed, int64_t seq, uint16_t partition,
                     uint8_t kind, unsigned worker);

/* The same for a frame of which it is not decided whether it belongs to the sequence: no worker gets it, and the cursor
 * stays in front of it. It must be the newest record when it is released or condemned (then it is the worker's), or
 * dropped (as if it had never come). */
uint64_t ledger_hold(struct ledger *l, size_t offset, size_t len, size_t consumed, int64_t seq, uint16_t partition,
                     uint8_t kind);
void ledger_release(struct ledger *l, uint64_t id);
void ledger_drop_held(struct ledger *l, uint64_t id, int64_t seq); /* seq: it counts as done; 0: it does not */

/* The same for a frame that needs no worker: it is committed at once, but holds its place in the order of seqs. */
bool ledger_take_done(struct ledger *l, size_t consumed, int64_t seq);

/* The worker's next record that was not sent yet: false if there is none. ledger_sent() moves past it. */
bool ledger_next_unsent(const struct ledger *l, unsigned worker, struct ledger_record *out);
/* Looks further: the unsent record after `previous` (an id), to gather many for one write. */
bool ledger_unsent_after(const struct ledger *l, uint64_t previous, struct ledger_record *out);
/* All records of the worker up to and with `id` are in its channel. */
void ledger_sent(struct ledger *l, unsigned worker, uint64_t id);

/* The worker has committed all its records up to and with `id`. Returns how many that were; acks that are old or of
 * ids that were never sent to this worker change nothing. */
size_t ledger_commit(struct ledger *l, unsigned worker, uint64_t id);

/* The worker is gone: everything of it that is not committed counts as not sent. suspect: it died of it, perhaps: what
 * it had is sent to its successor one by one. Returns how many records. */
size_t ledger_unsend(struct ledger *l, unsigned worker, bool suspect);

/* True while some of the worker's records are to be sent one by one: also where it has them from another, after
 * ledger_reroute(). */
bool ledger_has_suspects(const struct ledger *l, unsigned worker);

/* The worker's oldest record that was sent and is not committed: false if there is none. */
bool ledger_outstanding(const struct ledger *l, unsigned worker, struct ledger_record *out);
/* How many such there are. */
size_t ledger_outstanding_count(const struct ledger *l, unsigned worker);

/* The record was alone with a worker that died. With POISON_POINTS it gets the verdict, and is not sent to be decoded
 * any more. Returns its points. */
unsigned ledger_blame(struct ledger *l, uint64_t id, unsigned points, uint8_t verdict, uint8_t cause);

/* Sets the verdict at once. */
void ledger_condemn(struct ledger *l, uint64_t id, uint8_t verdict);

/* Another number of workers: all records that are not committed are queued anew, none as sent. */
bool ledger_reroute(struct ledger *l, unsigned workers);

/* Forgets all records and the window, for reading the relay anew from an earlier point; no worker may be there that
 * still looks at one. Returns how many records had not been committed. */
size_t ledger_reset(struct ledger *l);

/* Seq of the last record before the oldest uncommitted one; false: none was ever committed. */
bool ledger_cursor(const struct ledger *l, int64_t *seq);

size_t ledger_used_bytes(const struct ledger *l);
size_t ledger_size_bytes(const struct ledger *l);
size_t ledger_record_count(const struct ledger *l);       /* not yet committed, or behind such a one */
unsigned ledger_workers(const struct ledger *l); /* that it is routed for */
size_t ledger_queue_length(const struct ledger *l, unsigned worker); /* of one worker, not committed */

#endif
