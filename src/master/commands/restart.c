/* restart.c: replaces workers one by one. Each finishes the frames in its channel and leaves; its successor gets the
 * rest. The others go on meanwhile, so there is no gap, and order is kept. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "master/commands/command.h"
#include "master/commands/deferred.h"

static pid_t pid_of(const struct master *m, unsigned index)
{
    struct pool_worker_status w;
    pool_worker_status(m->pool, index, &w);
    return w.pid;
}

static bool is_ready(const struct master *m, unsigned index)
{
    return atomic_load_explicit(&m->counters->workers[index].slot.state, memory_order_relaxed) == WORKER_READY;
}

static void restart(struct master *m, struct deferred *w)
{
    w->old_pid = pid_of(m, w->at);
    pool_restart(m->pool, w->at);
}

static bool is_restarted(struct master *m, struct deferred *w)
{
    if (m->course.state == MASTER_STOPPING || w->until > pool_size(m->pool)) {
        control_refuse(
            w->call, CONTROL_FAILED, "%s before worker %u was replaced",
            m->course.state == MASTER_STOPPING ? "firehosed was stopped" : "the number of workers was changed", w->at);
        return true;
    }
    while (w->at < w->until) {
        pid_t pid = pid_of(m, w->at);
        if (pid == 0 || pid == w->old_pid || !is_ready(m, w->at))
            return false;
        json_t *one = json_pack("{s:I,s:I,s:I}", "index", (json_int_t)w->at, "old_pid", (json_int_t)w->old_pid,
                                "pid", (json_int_t)pid);
        json_array_append(w->result, one);
        control_item(w->call, one);
        if (++w->at < w->until)
            restart(m, w);
    }
    control_answer(w->call, json_pack("{s:O}", "restarted", w->result));
    return true;
}

/* Reads "all" or a number. Returns false if the text is neither. */
static bool read_which(const char *text, unsigned size, struct deferred *w)
{
    char *end;
    errno = 0;
    long index = strtol(text, &end, 10);
    bool all = strcmp(text, "all") == 0;
    if (!all && (errno != 0 || end == text || *end != '\0' || index < 0 || index >= (long)size))
        return false;
    w->at = all ? 0 : (unsigned)index;
    w->until = all ? size : w->at + 1;
    return true;
}

void command_restart_worker(struct master *m, struct control_call *call)
{
    struct deferred w = {.check = is_restarted, .what = "a worker to be replaced"};
    unsigned size = pool_size(m->pool);
    if (!master_is_running(m) || pool_is_draining(m->pool) || size == 0) {
        control_refuse(call, CONTROL_NOT_NOW, "the workers are being started or replaced already");
        return;
    }
    if (!read_which(command_text(call, "worker"), size, &w)) {
        control_refuse(call, CONTROL_BAD_ARGUMENT, "worker: expected a number from 0 to %u, or all", size - 1);
        return;
    }
    w.result = json_array();
    restart(m, &w);
    deferred_begin(m, call, &w);
}
