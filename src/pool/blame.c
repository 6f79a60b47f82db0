#include "config.h"

#include "blame.h"

#include <signal.h>
#include <sys/wait.h>

#include "ring/ledger.h"

struct blame blame_decide(const struct blame_case *c)
{
    if (c->in_flight != 1 || !c->was_on_frames || c->is_condemned)
        return (struct blame){.kind = BLAME_NOBODY};
    if (c->condemned >= CONDEMNED_MAX)
        return (struct blame){.kind = BLAME_WORKER};
    bool was_killed = WIFSIGNALED(c->status) && WTERMSIG(c->status) == SIGKILL && !c->was_hung;
    return (struct blame){
        .kind = BLAME_FRAME,
        .points = was_killed ? POINTS_KILLED : POINTS_OWN_DEATH,
        .verdict = c->was_hung ? VERDICT_HANG : WIFSIGNALED(c->status) ? VERDICT_SIGNAL : VERDICT_EXIT,
        .cause = (uint8_t)(WIFSIGNALED(c->status) ? WTERMSIG(c->status) : WEXITSTATUS(c->status)),
    };
}
