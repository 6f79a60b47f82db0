/* deferred.h: calls that are answered when a condition holds: everything is written, the workers are replaced, the
 * reload has taken effect. Until then their client gets an item a second, a sign of life that says what it waits for.
 * */
#ifndef FIREHOSED_MASTER_COMMANDS_DEFERRED_H
#define FIREHOSED_MASTER_COMMANDS_DEFERRED_H

#include <sys/queue.h>
#include <sys/types.h>

#include "master/commands/command.h"

struct deferred;

/* Looks whether the condition holds. Returns true if it has ended w->call. It may change what it waits for. */
typedef bool deferred_check(struct master *m, struct deferred *w);

struct deferred {
    LIST_ENTRY(deferred) link;
    struct control_call *call;
    deferred_check *check;
    const char *what;   /* the condition, for the client */
    unsigned at, until; /* which workers are still to be replaced */
    pid_t old_pid;
    json_t *result; /* owned; collected on the way */
};

/* Keeps the call until its check has ended it. The check runs at once, and whenever its condition may have changed.
 * `like` holds what the check needs; its result is taken over. */
void deferred_begin(struct master *m, struct control_call *call, const struct deferred *like);

/* Something has changed: runs all checks. */
void deferred_check_all(struct master *m);

/* Once a second: runs all checks, and sends the signs of life. */
void deferred_tick(struct master *m);

/* Forgets all deferred calls. The control socket frees them. */
void deferred_end(struct master *m);

#endif
