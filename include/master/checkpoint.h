/* checkpoint.h: the cursor: every event up to it is in Redis. It is saved there every few seconds and at the end. */
#ifndef FIREHOSED_MASTER_CHECKPOINT_H
#define FIREHOSED_MASTER_CHECKPOINT_H

#include "base/optional.h"
#include "store/store.h"

struct master;

/* Whose cursor and marks are meant: those of the relay that is read. */
struct store_keys checkpoint_keys(const struct master *m);

/* The cursor, as it is saved and as it is shown, everywhere: the tail of the ring or, where no event of this sequence
 * is committed yet, the cursor at which it was begun. */
struct optional checkpoint_cursor(const struct master *m);

/* True if that cursor is saved already, or there is none. */
bool checkpoint_is_saved(const struct master *m);

/* Saves the cursor if it has moved; else asks whether the slots are still ours. */
void checkpoint_save(struct master *m);

#endif
