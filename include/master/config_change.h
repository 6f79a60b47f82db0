/* config_change.h: what another configuration asks of a running master. Pure. */
#ifndef FIREHOSED_MASTER_CONFIG_CHANGE_H
#define FIREHOSED_MASTER_CONFIG_CHANGE_H

#include <stdbool.h>

#include "base/config.h"

/* Which parts of the configuration have other values. */
struct config_change {
    bool log_level, log_format, log_file;
    bool workers; /* what workers read: they have to be replaced */
    bool relay;   /* the list of relays, or how they are connected to */
    bool redis;   /* how the master connects to Redis, or the cursor's key there */
};

struct config_change config_compare(const struct config *old, const struct config *fresh);

/* Gives keys that need a restart their old values back. Calls `told` for each that had another one. */
void config_keep_fixed(struct config *fresh, const struct config *old, void (*told)(const struct setting *row));

/* True if the row's value comes from no operator: without a configured log_file the daemon chose one at its start. */
bool config_is_chosen(const struct setting *row, const struct config *fresh);

#endif
