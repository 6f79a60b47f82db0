/* filter.h: which frames are wanted at all, as far as that can be told without decoding: by kind and by DID.
 * What does not pass never reaches a worker; its seq counts as done. (Collections are the workers' to filter:
 * atproto/collections.h.)
 *
 *   IDLE ──filter_load()──▶ LOADING (a child reads dids_file) ──filter_reap()──▶ IDLE, hooks.loaded
 *
 * A list of millions takes a second to read, so a child of the master does it, and the master goes on
 * meanwhile. What is in force changes with filter_apply() only. */
#ifndef FIREHOSED_MASTER_FILTER_H
#define FIREHOSED_MASTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "atproto/frame.h"
#include "base/config.h"
#include "base/error.h"

struct filter;

struct filter_hooks {
    void *arg;
    void (*loaded)(void *arg, const struct error *failure); /* NULL: well; filter_apply() may follow */
};

/* Checks what the table cannot: `kinds`, `collections`, `exclude_collections`. *why begins with where the
 * value is from. */
bool filter_check_config(const struct config *config, struct error *why);

/* Reads the list of DIDs, if there is one, before it returns: for the start. The configuration was checked.
 * NULL: *why. */
struct filter *filter_new(const struct config *config, const struct filter_hooks *hooks, struct error *why);
void filter_free(struct filter *f);

/* Reads the list of another configuration in a child. False: *why, and nothing has changed. One that is under
 * way is given up. Without a list there is nothing to read, and hooks.loaded is called at once. */
bool filter_load(struct filter *f, const struct config *config, struct error *why);

/* A child of the master has ended: true if it was the one that read the list. */
bool filter_reap(struct filter *f, pid_t pid);

/* From now on as that configuration says, with the list that was loaded for it. */
void filter_apply(struct filter *f, const struct config *config);

bool filter_passes(const struct filter *f, const struct frame_peek *peek);

/* How many DIDs are listed; 0: no list, all pass. */
size_t filter_did_count(const struct filter *f);

#endif
