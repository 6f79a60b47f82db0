/* worker_exit.h: what follows when a worker has ended. Pure. */
#ifndef FIREHOSED_POOL_WORKER_EXIT_H
#define FIREHOSED_POOL_WORKER_EXIT_H

#include <stdbool.h>
#include <stddef.h>

#include "worker_process.h"

struct exit_case {
    int status;       /* of waitpid() */
    bool was_leaving; /* it was told to finish and leave */
    bool was_killed;  /* by pool_kill() */
    enum drain drain; /* of the pool */
    bool has_frames;  /* some of its frames are not committed */
};

enum exit_next {
    EXIT_START,       /* start its successor */
    EXIT_RESTART,     /* start its successor: at once, or later if workers keep dying here */
    EXIT_LEAVE,       /* it has left for good; hooks.drained if it was the last */
    EXIT_CLAIMS_TAKE_OVER, /* hooks.check_owner; and its successor starts later, in case it is not true */
    EXIT_MARKS_LOST,  /* hooks.marks_lost; and hooks.drained, if the pool drains and it was the last */
};

struct exit_decision {
    enum exit_next next;
    bool was_orderly; /* it has finished, and left */
    bool has_died;    /* a frame may be to blame, and what it had is sent to its successor one by one */
};

struct exit_decision exit_decide(const struct exit_case *c);

/* Says in words how the worker ended. denied_call: the system call that the sandbox killed it for, plus one; 0: none.
 * */
void exit_describe(int status, int denied_call, char *out, size_t out_bytes);

#endif
