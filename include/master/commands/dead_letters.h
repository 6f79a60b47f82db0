/* dead_letters.h: an operator looks into the dead letters: list, show, drop, retry. In a retry a worker decodes the
 * frame once more, and the frame leaves the dead letters in the transaction that writes its event. */
#ifndef FIREHOSED_MASTER_COMMANDS_DEAD_LETTERS_H
#define FIREHOSED_MASTER_COMMANDS_DEAD_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

struct master;

/* A worker is through with a retry. why: the reason of a failure. */
void dead_letters_retried(struct master *m, uint64_t number, bool ok, const char *why);

/* firehosed ends: answers the client that waits for a retry. To be called before control_free(). */
void dead_letters_end(struct master *m);

#endif
