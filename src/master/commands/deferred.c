#include "config.h"

#include "master/commands/deferred.h"

#include <stdlib.h>

static void forget(struct deferred *w)
{
    LIST_REMOVE(w, link);
    json_decref(w->result);
    free(w);
}

static void on_gone(void *arg, struct control_call *call)
{
    forget(arg);
    control_answer(call, NULL); /* nobody reads it */
}

static bool look(struct master *m, struct deferred *w)
{
    bool ended = w->check(m, w);
    if (ended)
        forget(w);
    return ended;
}

void deferred_begin(struct master *m, struct control_call *call, const struct deferred *like)
{
    struct deferred *w = malloc(sizeof *w);
    if (w == NULL) {
        json_decref(like->result);
        control_refuse(call, CONTROL_FAILED, "out of memory: it is under way, but nobody will tell when it is through");
        return;
    }
    *w = *like;
    w->call = call;
    LIST_INSERT_HEAD(&m->deferred, w, link);
    if (!look(m, w))
        control_when_gone(call, on_gone, w);
}

void deferred_check_all(struct master *m)
{
    struct deferred *w = LIST_FIRST(&m->deferred), *next;
    for (; w != NULL; w = next) {
        next = LIST_NEXT(w, link);
        look(m, w);
    }
}

void deferred_tick(struct master *m)
{
    struct deferred *w;
    deferred_check_all(m);
    LIST_FOREACH(w, &m->deferred, link)
    control_item(w->call, json_pack("{s:s,s:I}", "waiting_for", w->what, "in_flight",
                                    (json_int_t)ledger_record_count(m->ledger)));
}

void deferred_end(struct master *m)
{
    while (!LIST_EMPTY(&m->deferred))
        forget(LIST_FIRST(&m->deferred));
}
