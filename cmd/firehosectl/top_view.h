/* top_view.h: draws the live view. */
#ifndef FIREHOSED_CMD_TOP_VIEW_H
#define FIREHOSED_CMD_TOP_VIEW_H

#include "top_state.h"

void top_draw(const struct top *t);

#endif
