/* channel.h: how the master and one worker talk.
 *
 * The ipc room holds what processes share: channels, taps, and counters in shared memory. It knows nothing of Redis or
 * of the content of a frame. Pool and master use it on one side, the worker room on the other.
 *
 * A channel is three socket pairs, so that kinds of messages do not block each other: while Redis is down, frames wait
 * in the data pair, and the message with the new connection must still get through.
 *
 *   data    SOCK_STREAM, master to worker only: struct frame_ref …, each of them a frame in the ring, which the
 *           worker sees but cannot write to. The frame stays there until its ack.
 *           If the master shuts it down, the worker finishes what is there and exits.
 *   control SOCK_SEQPACKET, both ways: struct ipc_message, some with a descriptor.
 *           Its end means that the other side is gone.
 *   log     SOCK_SEQPACKET, worker to master only: log_forward() and log_take(). */
#ifndef FIREHOSED_IPC_CHANNEL_H
#define FIREHOSED_IPC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/verdict.h"

/* The ring of raw frames as a worker sees it: mapped read-only, and twice, end to end, so that a frame that begins in
 * the first `size` bytes is contiguous. */
struct ring_view {
    const uint8_t *bytes;
    size_t size;
};

/* One frame in the ring. Both ends are the same program on the same machine: host byte order. */
struct frame_ref {
    uint64_t at;       /* where in the ring it begins, below its size */
    uint32_t len;      /* at most the ring's size */
    uint8_t partition; /* hash(DID) % PARTITIONS */
    uint8_t kind;      /* enum frame_kind, as peeked */
    uint8_t verdict;   /* enum verdict: whether the frame is to be decoded, or why not */
    uint8_t cause;     /* of the verdict: the number of a signal, or an exit status */
    uint64_t id;       /* the ledger's number of this frame, which acks name; it rises by any steps */
    int64_t seq;       /* the relay's; 0 where it could not be read */
};

_Static_assert(sizeof(struct frame_ref) == 32, "references have no holes: an array of them is sent as it is");

enum ipc_type {
    /* master to worker */
    IPC_REDIS_CONNECTED, /* with a descriptor: a connected socket to Redis */
    IPC_REDIS_FAILED,    /* text: why not */
    IPC_LOG_LEVEL,       /* value */
    IPC_TAP,             /* with a descriptor: opens the tap `value` (ipc/tap.h); without: closes it */
    IPC_RETRY,           /* with a descriptor: a frame in a file; id; value: its kind; text: its dead letter's entry */
    IPC_PING,            /* to be answered with IPC_PONG: a worker that does not answer hangs */
    /* worker to master */
    IPC_RETRIED,         /* id; value 1: its event is in the stream; 0: text tells why not */
    IPC_WANT_REDIS,      /* asks for a connection */
    IPC_ACK,             /* id, counts: all frames up to it are done (in the stream, filtered, or dead letters) */
    IPC_PONG,
};

enum { IPC_TEXT_BYTES = 232, IPC_COUNTS = 32 };

struct ipc_message {
    uint32_t type;
    uint32_t value;
    uint64_t id;
    union {
        char text[IPC_TEXT_BYTES]; /* always ended */
        /* What became of the frames, by enum counter. They travel with the ack: if a worker died between counting and
         * acking, its frames would be counted twice. */
        uint32_t counts[IPC_COUNTS];
    };
};

/* Exit statuses of a worker, beside 0 (all is done) and 1 (it cannot go on). */
enum ipc_exit {
    IPC_EXIT_TAKEN_OVER = 10, /* another master owns the worker's slot now */
    IPC_EXIT_OBSOLETE = 11,   /* a later worker of the same master owns it */
    IPC_EXIT_MARKS_LOST = 12, /* Redis has lost data: its marks are older than what was committed */
};

struct channel {
    int data;    /* -1: closed */
    int control; /* -1: closed */
    int log;     /* -1: closed */
};

/* Makes the pairs, non-blocking and close-on-exec. */
bool channel_pair(struct channel *master_end, struct channel *worker_end, struct error *why);
void channel_close(struct channel *c);

enum ipc_result {
    IPC_OK,
    IPC_AGAIN,  /* there is no message, or no room for one: wait for the descriptor */
    IPC_GONE,   /* the other side is gone */
    IPC_BROKEN, /* the other side sent something else than a message: give it up */
};

/* Sends one message, with a descriptor unless fd is -1. The caller still owns the descriptor. */
enum ipc_result channel_send(const struct channel *c, const struct ipc_message *m, int fd);

/* Receives one message. *fd is its descriptor (close-on-exec, the caller's now), or -1. Any further descriptor that the
 * other side sent is closed. */
enum ipc_result channel_receive(const struct channel *c, struct ipc_message *m, int *fd);

#endif
