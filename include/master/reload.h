/* reload.h: another configuration, while this one is in use. */
#ifndef FIREHOSED_MASTER_RELOAD_H
#define FIREHOSED_MASTER_RELOAD_H

#include "base/error.h"

struct master;

/* Reads the file again. A wrong one is reported, and the old configuration stays. */
void reload_begin(struct master *m);

/* The dids_file of the new configuration was read; or not: *failure. */
void reload_accept(struct master *m, const struct error *failure);

/* Takes over what was read, as soon as that is possible. */
void reload_apply(struct master *m);

/* The workers have left: takes it over now, and starts their successors. */
void reload_finish(struct master *m);

#endif
