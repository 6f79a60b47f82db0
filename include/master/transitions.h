/* transitions.h: every change of the master's course: starting, another sequence, another place in it, another relay,
 * data that Redis has lost, the end. Only these functions change the master's state.
 *
 *   RUNNING ──transition_on_data_lost()──▶ REWINDING (Redis has lost data: relay and workers are dropped)
 *      ▲                               └──▶ store_begin() at the cursor that Redis still has ──┐
 *      ├───────────────────────────────────────────────────────────────────────────────────────┘
 *   RUNNING ──transition_reset(), …──▶ RESETTING (what is in hand is written)
 *      ▲                               └──▶ store_begin…() with other marks ──┐
 *      └──────────────────────────────────────────────────────────────────────┘ */
#ifndef FIREHOSED_MASTER_TRANSITIONS_H
#define FIREHOSED_MASTER_TRANSITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/optional.h"
#include "relay/failover.h"

struct master;

/* "starting", "running", "paused", … */
const char *master_state_name(const struct master *m);

/* The relay's sequence is another one: what is in hand is written, and reading begins anew, with the oldest event or
 * with live ones. With on_sequence_reset = stop the master stops instead. The caller closes the relay then. */
void transition_reset(struct master *m, bool from_oldest);

/* The relay's messages say that reading cannot go on where it is: another sequence begins, or a wrong seq is gone back
 * from. The caller closes the relay then. */
void transition_leave_sequence(struct master *m);

/* Another relay of the list is read, when what is in hand is written. */
void transition_change_relay(struct master *m, struct failover_wish wish);

/* While paused and with nothing in hand: cursor and marks are set, so that reading goes on behind `cursor`; unknown:
 * both are deleted, and reading goes on with live events. */
void transition_set_cursor(struct master *m, struct optional cursor);

/* Stops reading, finishes what is in hand, saves the cursor, and ends the loop. `why` goes to the log. */
void transition_stop(struct master *m, const char *why);

/* The operator does not want the relay to be read for now, or wants it again. */
void transition_pause(struct master *m);
void transition_resume(struct master *m);

/* Ends the loop at once. */
void transition_end(struct master *m);

/* ---- what happens on the way ---- */

/* The store is through with store_begin…(). Returns true if the master runs from here on. */
bool transition_on_begun(struct master *m, struct optional cursor);

/* What is saved belongs to another relay. Returns true if it may be dropped; else the master ends. */
bool transition_may_drop(struct master *m);

void transition_on_slots_taken(struct master *m);
void transition_on_relay_stopped(struct master *m);

/* Every worker has left. Returns false if no transition waited for that: then a reload did. */
bool transition_on_drained(struct master *m);

void transition_on_data_lost(struct master *m);
void transition_on_taken_over(struct master *m);
void transition_on_cursor_saved(struct master *m, int64_t cursor);

/* Once a second. */
void transition_tick(struct master *m);

/* shutdown_timeout is over. */
void transition_give_up(struct master *m);

#endif
