/* dashboard.h: the keys and the channel that dashboards read (DESIGN.md §4): a sample, at a rate that Redis does not
 * feel. */
#ifndef FIREHOSED_MASTER_DASHBOARD_H
#define FIREHOSED_MASTER_DASHBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "atproto/frame.h"
#include "base/config.h"
#include "store/store.h"

struct dashboard;

struct dashboard *dashboard_new(const struct config *config, struct store *store);
void dashboard_free(struct dashboard *d);

/* A commit passed: shown if the rate allows. */
void dashboard_see(struct dashboard *d, const struct frame_peek *peek);

/* Once a second: renews the list of recent events; every fifth time the status key. */
void dashboard_tick(struct dashboard *d, bool connected, const char *url, bool has_cursor, int64_t cursor);

/* The service ends in order: nobody shall read "connected" for the ten seconds that the key lives on. */
void dashboard_end(struct dashboard *d, const char *url, bool has_cursor, int64_t cursor);

#endif
