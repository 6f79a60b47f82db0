/* cursor.h: the cursor, for commands that show it or move it. */
#ifndef FIREHOSED_MASTER_COMMANDS_CURSOR_H
#define FIREHOSED_MASTER_COMMANDS_CURSOR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/optional.h"

struct master;

/* A seq as JSON: a decimal text, as it does not fit into every reader's numbers; null where it is unknown. */
json_t *cursor_text(struct optional seq);

/* The relay is not read, and all that was read is written. */
bool cursor_is_at_rest(const struct master *m);

#endif
