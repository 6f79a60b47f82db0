/* top_panes.h: draws workers, collections and recent errors: for each a title, and as many lines as fit. */
#ifndef FIREHOSED_CMD_TOP_PANES_H
#define FIREHOSED_CMD_TOP_PANES_H

#include "top_state.h"

/* Each draws into the rows from..until and the columns left..right. */
void pane_workers(const struct top *t, int from, int until, int left, int right);
void pane_collections(const struct top *t, int from, int until, int left, int right);
void pane_errors(const struct top *t, int from, int until, int left, int right);

/* Returns how many lines the pane has to show. */
size_t pane_length(const struct top *t, enum top_pane pane);

#endif
