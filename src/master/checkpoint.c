#include "config.h"

#include "master/checkpoint.h"

#include "master/context.h"

struct store_keys checkpoint_keys(const struct master *m)
{
    const struct relay_entry *relay = failover_current(m->failover);
    return (struct store_keys){relay->cursor_key, relay->progress_key, relay->url.host};
}

struct optional checkpoint_cursor(const struct master *m)
{
    int64_t cursor;
    return ledger_cursor(m->ledger, &cursor) ? optional_of(cursor) : sequence_cursor(&m->sequence);
}

bool checkpoint_is_saved(const struct master *m)
{
    struct optional cursor = checkpoint_cursor(m);
    return !cursor.is_known || optional_is(m->sequence.saved, cursor.value);
}

/* A master that has nothing to save can be taken over too: then it asks for the owner. */
void checkpoint_save(struct master *m)
{
    if (checkpoint_is_saved(m))
        store_check_owner(m->store);
    else
        store_save_cursor(m->store, checkpoint_cursor(m).value);
}
