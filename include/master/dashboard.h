/* dashboard.h: the keys and the channel that dashboards read (doc/running.md): a sample, at a rate that Redis does not
 * feel. */
#ifndef FIREHOSED_MASTER_DASHBOARD_H
#define FIREHOSED_MASTER_DASHBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "atproto/frame.h"
#include "base/config.h"
#include "base/optional.h"
#include "stats/snapshot.h"
#include "store/store.h"

struct dashboard;

struct dashboard *dashboard_new(const struct config *config, struct store *store);
void dashboard_free(struct dashboard *d);

/* A frame has passed: shows it if it is a commit, and the rate allows. */
void dashboard_see(struct dashboard *d, const struct frame_peek *peek);

/* Once a second: renews the list of recent events; every fifth time the status key. */
void dashboard_tick(struct dashboard *d, const struct snapshot *s);

/* The service ends in order: nobody shall read "connected" for the ten seconds that the key lives on. */
void dashboard_end(struct dashboard *d, const char *url, struct optional cursor);

#endif
