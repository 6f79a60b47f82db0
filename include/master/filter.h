/* filter.h: which frames the configuration wants, as far as a peek can tell: by kind and by DID. A rejected frame never
 * reaches a worker; its seq counts as done. (Workers filter by collection: atproto/collections.h.)
 *
 *   IDLE ──filter_load()──▶ LOADING (a child reads dids_file) ──filter_reap()──▶ IDLE, hooks.loaded
 *
 * Reading a list of millions takes a second, so a child of the master does it, and the master goes on meanwhile. Only
 * filter_apply() changes which filter is in force. */
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
    void (*loaded)(void *arg, const struct error *failure); /* NULL: the list was read, filter_apply() may follow */
};

/* Check what the configuration's table cannot: `kinds`, `collections`, `exclude_collections`, and the whole file that
 * `dids_file` names. Return false, and fill *why, if the value is wrong. */
bool filter_check_kinds(const struct config *config, struct error *why);
bool filter_check_collections(const struct config *config, struct error *why);
bool filter_check_excluded(const struct config *config, struct error *why);
bool filter_check_dids(const struct config *config, struct error *why);

/* For the start: reads the list of DIDs, if there is one, before it returns. The configuration was checked. Returns
 * NULL if the list cannot be read or memory is short: *why. */
struct filter *filter_new(const struct config *config, const struct filter_hooks *hooks, struct error *why);
void filter_free(struct filter *f);

/* Reads the list of another configuration in a child, and gives up a reading that is under way. Without a list it calls
 * hooks.loaded at once. Returns false if no child can be started: *why; then nothing has changed. */
bool filter_load(struct filter *f, const struct config *config, struct error *why);

/* A child of the master has ended. Returns true if it was the one that read the list. */
bool filter_reap(struct filter *f, pid_t pid);

/* Filters from now on as this configuration says, with the list that was loaded for it. */
void filter_apply(struct filter *f, const struct config *config);

bool filter_passes(const struct filter *f, const struct frame_peek *peek);

/* Returns how many DIDs are listed; 0: there is no list, and every repo passes. */
size_t filter_did_count(const struct filter *f);

#endif
