/* top.h: the live view: what it knows (top.c asks once a second) and how it is drawn (top_view.c, top_panes.c). */
#ifndef FIREHOSED_CMD_TOP_H
#define FIREHOSED_CMD_TOP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "command.h"

enum { TOP_HISTORY = 600, TOP_KINDS = 5 };

enum top_pane { PANE_WORKERS, PANE_COLLECTIONS, PANE_ERRORS, PANES };
/* SORT_USUAL: workers by number, collections by total. */
enum top_sort { SORT_USUAL, SORT_RATE, SORT_TOTAL, SORT_NAME, SORTS };

struct top {
    const char *socket;
    json_t *status; /* the newest; NULL: none yet */
    struct error trouble; /* why there is none at the moment; "" when well */
    double history[2][TOP_HISTORY]; /* events a second; lag in seconds; below 0: not known */
    size_t history_count;
    double kind_per_s[TOP_KINDS]; /* below 0: not known yet */
    json_int_t kind_total[TOP_KINDS];
    int64_t asked_ms; /* when status was asked for */

    /* How it is looked at. */
    bool is_paused;
    enum top_pane pane; /* which of them has the room, where there is not enough for all */
    enum top_sort sort;
    int scroll; /* lines of the pane that are above its first */
};

extern const char *const top_kinds[TOP_KINDS];

/* The command. */
int run_top(const struct invocation *in);

/* top_view.c: draws all of it. */
void top_draw(const struct top *t);

/* top_panes.c: each draws into the rows from..until and columns left..right. */
void pane_workers(const struct top *t, int from, int until, int left, int right);
void pane_collections(const struct top *t, int from, int until, int left, int right);
void pane_errors(const struct top *t, int from, int until, int left, int right);
size_t pane_length(const struct top *t, enum top_pane pane); /* lines that it has to show */

#endif
