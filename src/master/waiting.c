#include "config.h"

#include "waiting.h"

#include <stdlib.h>

static void forget(struct waiting *w)
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

static bool look(struct master *m, struct waiting *w)
{
    bool ended = w->check(m, w);
    if (ended)
        forget(w);
    return ended;
}

void waiting_begin(struct master *m, struct control_call *call, const struct waiting *like)
{
    struct waiting *w = malloc(sizeof *w);
    if (w == NULL) {
        json_decref(like->result);
        control_refuse(call, CONTROL_FAILED, "out of memory: it is under way, but nobody will tell when it is through");
        return;
    }
    *w = *like;
    w->call = call;
    LIST_INSERT_HEAD(&m->waiting, w, link);
    if (!look(m, w))
        control_when_gone(call, on_gone, w);
}

void waiting_look(struct master *m)
{
    struct waiting *w = LIST_FIRST(&m->waiting), *next;
    for (; w != NULL; w = next) {
        next = LIST_NEXT(w, link);
        look(m, w);
    }
}

void waiting_tick(struct master *m)
{
    struct waiting *w;
    waiting_look(m);
    LIST_FOREACH(w, &m->waiting, link)
    control_item(w->call, json_pack("{s:s,s:I}", "waiting_for", w->what, "in_flight",
                                    (json_int_t)ledger_record_count(m->ledger)));
}

void waiting_end(struct master *m)
{
    while (!LIST_EMPTY(&m->waiting))
        forget(LIST_FIRST(&m->waiting));
}
