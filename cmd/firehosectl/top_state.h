/* top_state.h: the state of the live view: the newest answers, and how the user looks at them. */
#ifndef FIREHOSED_CMD_TOP_STATE_H
#define FIREHOSED_CMD_TOP_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { TOP_HISTORY = 600, TOP_KINDS = 5 };
static const char *const top_kinds[TOP_KINDS] = {"commit", "identity", "account", "sync", "unknown"};

enum top_pane { PANE_WORKERS, PANE_COLLECTIONS, PANE_ERRORS, PANES };

/* SORT_USUAL: workers by number, collections by total. */
enum top_sort { SORT_USUAL, SORT_RATE, SORT_TOTAL, SORT_NAME, SORTS };

struct top {
    const char *socket;
    json_t *status;                 /* the newest; NULL: none yet */
    struct error trouble;           /* why there is no status at the moment; "" if there is one */
    double history[2][TOP_HISTORY]; /* events a second; lag in seconds; below 0: unknown */
    size_t history_count;
    double kind_per_s[TOP_KINDS]; /* below 0: unknown */
    json_int_t kind_total[TOP_KINDS];
    int64_t asked_ms; /* when the newest status came */

    /* How the user looks at it. */
    bool is_paused, shows_help;
    enum top_pane pane; /* gets the room if there is not enough for all */
    enum top_sort sort;
    int scroll; /* lines of the pane above the first visible one */
};

#endif
