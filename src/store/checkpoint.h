/* checkpoint.h: the save of the cursor, with its copy beside the marks. */
#ifndef FIREHOSED_STORE_CHECKPOINT_H
#define FIREHOSED_STORE_CHECKPOINT_H

#include "begin.h"

struct checkpoint {
    struct session *session;
    struct verify *verify;
    const struct begin *begin;
    const struct store_keys *keys;
    const struct store_hooks *hooks;
    const struct owner_token *owner;
    struct optional in_flight; /* the cursor that is being saved */
};

/* Saves the cursor and calls hooks.cursor_saved(). Does nothing while Redis is away, not verified, or still busy with
 * the save before. */
void checkpoint_write(struct checkpoint *k, int64_t cursor);

/* Asks whether the slots are still ours, and calls the hooks if not. */
void checkpoint_check_owner(struct checkpoint *k);

#endif
