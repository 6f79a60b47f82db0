/* taps.h: the worker's side of taps (ipc/tap.h): a sample of the events that pass, for those who watch. */
#ifndef FIREHOSED_WORKER_TAPS_H
#define FIREHOSED_WORKER_TAPS_H

#include "atproto/collections.h"
#include "atproto/event_json.h"
#include "ipc/tap.h"

struct tap {
    int fd; /* -1: none */
    char did[TAP_FILTER_BYTES];
    struct collections *wanted; /* NULL: all */
    uint64_t left_out;          /* events since the last message */
    int64_t second;             /* for the rate */
    unsigned sent;              /* in this second */
};

struct taps {
    struct tap taps[TAPS_MAX];
    unsigned count; /* that are open */
};

void taps_init(struct taps *t);

/* Takes IPC_TAP: opens tap m->value on the descriptor, which is taken over, or closes the tap if fd is -1. */
void taps_set(struct taps *t, const struct ipc_message *m, int fd);

/* Tells each tap how many events were left out of it, unless an event can tell it soon: to be called once a turn. */
void taps_tell_left_out(struct taps *t);

/* Offers an event to all taps; called only if t->count > 0. */
void taps_see(struct taps *t, const struct frame *frame, const uint8_t *json, size_t len);

#endif
