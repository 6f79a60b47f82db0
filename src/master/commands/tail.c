#include "config.h"

#include "master/commands/tail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "atproto/collections.h"
#include "atproto/frame.h"
#include "base/clock.h"
#include "ipc/tap.h"

enum {
    EVENTS_A_TURN = 64, /* then other events of the loop get their turn */
    SIGN_OF_LIFE_MS = 5000,
    BUFFER_BYTES = sizeof(struct tap_head) + TAP_EVENT_MAX_BYTES,
};

struct tail {
    LIST_ENTRY(tail) link;
    struct master *master;
    struct control_call *call;
    unsigned id;              /* of the tap */
    int ours, theirs;         /* its two ends; workers that start later need theirs */
    struct event *readable;
    int64_t count;            /* of events to show; 0: no limit */
    uint64_t shown, left_out; /* in all */
    uint64_t unsaid;          /* left out since the last item */
    int64_t told_ms;          /* when the last item went out */
    char filter[IPC_TEXT_BYTES];
    uint8_t buffer[BUFFER_BYTES];
};

static void tell(struct tail *t, unsigned worker, int fd)
{
    struct ipc_message m = {.type = IPC_TAP, .value = t->id};
    memcpy(m.text, t->filter, sizeof m.text);
    pool_tell(t->master->pool, worker, &m, fd);
}

static void tail_free(struct tail *t)
{
    LIST_REMOVE(t, link);
    for (unsigned i = 0; i < pool_size(t->master->pool); i++)
        tell(t, i, -1);
    if (t->readable != NULL)
        event_free(t->readable);
    close(t->ours);
    close(t->theirs);
    free(t);
}

static void on_gone(void *arg, struct control_call *call)
{
    tail_free(arg);
    control_answer(call, NULL); /* nobody reads it */
}

static json_t *event_json(const struct tap_head *head, uint64_t left_out)
{
    char seq[24];
    snprintf(seq, sizeof seq, "%" PRId64, head->seq);
    return json_pack("{s:s,s:s,s:I}", "seq", seq, "type",
                     head->kind < FRAME_KINDS ? frame_kind_name((enum frame_kind)head->kind) : "", "left_out",
                     (json_int_t)left_out);
}

/* Passes on one message from a worker: an event, or only how many were left out. Returns false if it was the last one
 * wanted: then the tail is gone. */
static bool pass_on(struct tail *t, size_t n)
{
    struct tap_head head;
    memcpy(&head, t->buffer, sizeof head);
    t->left_out += head.left_out;
    t->unsaid += head.left_out;
    if (n == sizeof head)
        return true;
    if (!control_item_with(t->call, event_json(&head, t->unsaid), "data", t->buffer + sizeof head, n - sizeof head)) {
        t->left_out++;
        t->unsaid++;
        return true;
    }
    t->unsaid = 0;
    t->shown++;
    t->told_ms = clock_monotonic_ms();
    if (t->count == 0 || t->shown < (uint64_t)t->count)
        return true;
    control_answer(t->call,
                   json_pack("{s:I,s:I}", "shown", (json_int_t)t->shown, "left_out", (json_int_t)t->left_out));
    tail_free(t);
    return false;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct tail *t = arg;
    (void)what;
    for (int i = 0; i < EVENTS_A_TURN; i++) {
        ssize_t n = recv(fd, t->buffer, sizeof t->buffer, MSG_DONTWAIT);
        if (n < (ssize_t)sizeof(struct tap_head))
            return;
        if (!pass_on(t, (size_t)n))
            return;
    }
}

static bool open_tap(struct tail *t)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    t->ours = ends[0];
    t->theirs = ends[1];
    t->readable = event_new(t->master->base, t->ours, EV_READ | EV_PERSIST, on_event, t);
    if (t->readable != NULL && event_add(t->readable, NULL) == 0)
        return true;
    if (t->readable != NULL)
        event_free(t->readable);
    close(ends[0]);
    close(ends[1]);
    return false;
}

/* Returns the first number that no tail has, or TAPS_MAX. */
static unsigned free_id(const struct master *m)
{
    uint32_t taken = 0;
    const struct tail *t;
    LIST_FOREACH(t, &m->tails, link)
    taken |= UINT32_C(1) << t->id;
    unsigned id = 0;
    while (id < TAPS_MAX && (taken >> id & 1))
        id++;
    return id;
}

static bool check_filter(const char *did, const char *list, struct error *why)
{
    struct collections *collections = collections_new(list, why);
    if (collections == NULL)
        return false;
    collections_free(collections);
    if (strlen(did) + strlen(list) + 2 > TAP_FILTER_BYTES || strchr(did, '\n') != NULL) {
        error_set(why, "did and collection are too long, expected %d bytes together", TAP_FILTER_BYTES - 2);
        return false;
    }
    if (did[0] != '\0' && strncmp(did, "did:", 4) != 0) {
        error_set(why, "did: expected did:plc:… or did:web:…");
        return false;
    }
    return true;
}

void command_tail(struct master *m, struct control_call *call)
{
    const char *did = command_text(call, "did"), *list = command_text(call, "collection");
    struct error why;
    unsigned id = free_id(m);
    did = did != NULL ? did : "";
    list = list != NULL ? list : "";
    if (!check_filter(did, list, &why)) {
        control_refuse(call, CONTROL_BAD_ARGUMENT, "%s", why.text);
        return;
    }
    if (id == TAPS_MAX) {
        control_refuse(call, CONTROL_TOO_MANY, "%d tails run already", TAPS_MAX);
        return;
    }
    struct tail *t = calloc(1, sizeof *t);
    if (t != NULL) {
        t->master = m;
        t->call = call;
        t->id = id;
        t->count = command_number(call, "count", 0);
        t->told_ms = clock_monotonic_ms();
        snprintf(t->filter, sizeof t->filter, "%s\n%s", did, list);
    }
    if (t == NULL || !open_tap(t)) {
        free(t);
        control_refuse(call, CONTROL_FAILED, "no memory or descriptors for it: %s", strerror(errno));
        return;
    }
    LIST_INSERT_HEAD(&m->tails, t, link);
    control_when_gone(call, on_gone, t);
    for (unsigned i = 0; i < pool_size(m->pool); i++)
        tell(t, i, t->theirs);
}

void tail_tell(struct master *m, unsigned worker)
{
    struct tail *t;
    LIST_FOREACH(t, &m->tails, link)
    tell(t, worker, t->theirs);
}

void tail_tick(struct master *m)
{
    int64_t now = clock_monotonic_ms();
    struct tail *t;
    LIST_FOREACH(t, &m->tails, link)
    if (now - t->told_ms >= SIGN_OF_LIFE_MS) {
        t->told_ms = now;
        control_item(t->call, json_pack("{s:I}", "left_out", (json_int_t)t->unsaid));
        t->unsaid = 0;
    }
}

void tail_end(struct master *m)
{
    while (!LIST_EMPTY(&m->tails))
        tail_free(LIST_FIRST(&m->tails));
}
