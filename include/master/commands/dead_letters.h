/* dead_letters.h: looks into the dead letters for an operator: list, show, drop, and retry: the frame goes through a
 * worker once more, and leaves the dead letters in the transaction that writes its event. */
#ifndef FIREHOSED_MASTER_COMMANDS_DEAD_LETTERS_H
#define FIREHOSED_MASTER_COMMANDS_DEAD_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

struct master;

/* A worker has ended with a retry: ok, or why not. */
void dead_letters_retried(struct master *m, uint64_t number, bool ok, const char *why);

/* The end: whoever waits is told. Before control_free(). */
void dead_letters_end(struct master *m);

#endif
