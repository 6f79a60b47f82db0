#include "config.h"

#include "worker_exit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/syscall_name.h"

struct exit_decision exit_decide(const struct exit_case *c)
{
    int code = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 0;
    bool was_told = code == IPC_EXIT_TAKEN_OVER || code == IPC_EXIT_OBSOLETE || code == IPC_EXIT_MARKS_LOST;
    struct exit_decision d = {.was_orderly = c->was_leaving && WIFEXITED(c->status) && code == 0};
    d.has_died = !d.was_orderly && !c->was_killed && !was_told;
    /* Also on the way out: what these two tell is more than how one worker ended. */
    if (code == IPC_EXIT_TAKEN_OVER || code == IPC_EXIT_MARKS_LOST)
        d.next = code == IPC_EXIT_TAKEN_OVER ? EXIT_CLAIMS_TAKE_OVER : EXIT_MARKS_LOST;
    /* On the way out the whole ledger is to be written: a worker that died on it is replaced once more, and so is one
     * that was leaving already when the way out began. */
    else if (c->drain != DRAIN_NONE && !(c->drain == DRAIN_EVERYTHING && c->has_frames))
        d.next = EXIT_LEAVE;
    else
        d.next = d.was_orderly ? EXIT_START : EXIT_RESTART;
    return d;
}

void exit_describe(int status, int denied_call, char *out, size_t out_bytes)
{
    char call[SYSCALL_NAME_BYTES];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS && denied_call > 0)
        snprintf(out, out_bytes, "killed: system call %s is not allowed",
                 syscall_name(denied_call - 1, call, sizeof call));
    else if (WIFSIGNALED(status))
        snprintf(out, out_bytes, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(out, out_bytes, "exited with status %d", WEXITSTATUS(status));
}
