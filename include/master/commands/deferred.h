/* waiting.h: calls that are answered when something has come true: all is written, the workers are replaced, the
 * reload has taken effect. While they wait, their client gets an item a second: a sign of life, and what for. */
#ifndef FIREHOSED_MASTER_COMMANDS_DEFERRED_H
#define FIREHOSED_MASTER_COMMANDS_DEFERRED_H

#include <sys/queue.h>
#include <sys/types.h>

#include "master/commands/commands.h"

struct deferred;

/* Looks whether it is so. True: it has ended w->call. It may change what it waits for. */
typedef bool deferred_check(struct master *m, struct deferred *w);

struct deferred {
    LIST_ENTRY(deferred) link;
    struct control_call *call;
    deferred_check *check;
    const char *what;   /* is waited for: "restart" … */
    unsigned at, until; /* of workers */
    pid_t old_pid;
    json_t *result; /* owned; what is collected on the way */
};

/* Keeps the call until check says that it is ended; it is asked at once, and whenever things may have changed.
 * `like` has what check needs (its result is taken over). */
void deferred_begin(struct master *m, struct control_call *call, const struct deferred *like);

/* Something has changed: asks all. */
void deferred_check_all(struct master *m);

/* Once a second. */
void deferred_tick(struct master *m);

/* Forgets all; their calls are the control socket's to free. */
void deferred_end(struct master *m);

#endif
