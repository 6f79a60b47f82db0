/* channel.h: how the master and one worker talk.
 *
 * The ipc room: layout and framing of what goes between the two, over socket pairs. It knows nothing of what a frame
 * means or of Redis.
 *
 * A channel is two pairs, because two kinds of talk must not stand in each other's way: when Redis is down, frames wait
 * in the data pair, and the message that brings the new connection must still get through.
 *
 *   data    SOCK_STREAM, master to worker only: struct frame_ref …, each of them a frame in the ring, which the
 *           worker sees but cannot write to. It stays there until it is acked.
 *           The master's shutting it down means: finish what is there, then exit.
 *   control SOCK_SEQPACKET, both ways: struct ipc_message, some with a descriptor.
 *           Its end means that the other side is gone. */
#ifndef FIREHOSED_IPC_CHANNEL_H
#define FIREHOSED_IPC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/verdict.h"

/* The ring of raw frames as a worker has it: mapped read-only, and twice, end to end, so that a frame that begins in
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
    uint8_t verdict;   /* enum verdict: what the master knows against it */
    uint8_t cause;     /* of the verdict: the number of a signal, or an exit status */
    uint64_t id;       /* the ledger's number of this frame: rises by any steps; what acks speak of */
    int64_t seq;       /* the relay's; 0 where it could not be read */
};

_Static_assert(sizeof(struct frame_ref) == 32, "references have no holes: an array of them is what is sent");

enum ipc_type {
    /* master to worker */
    IPC_REDIS_CONNECTED, /* with a descriptor: a connected socket to Redis */
    IPC_REDIS_FAILED,    /* text: why not */
    IPC_LOG_LEVEL,       /* value */
    IPC_LOG_FILE,        /* with a descriptor: the log was opened again; value: whether it leads to syslog */
    IPC_LOG_FORMAT,      /* value */
    IPC_TAP,             /* with a descriptor: events are watched (ipc/tap.h); without: no longer */
    IPC_RETRY,           /* with a descriptor: a frame in a file; id, value: its kind, text: its dead letter's entry */
    /* worker to master */
    IPC_RETRIED,         /* id; value 1: its event is in the stream; 0: text tells why not */
    IPC_WANT_REDIS,      /* asks for a connection */
    IPC_ACK,             /* id, counts: all frames up to it are done (in the stream, or filtered, or quarantined) */
};

enum { IPC_TEXT_BYTES = 232, IPC_COUNTS = 32 };

struct ipc_message {
    uint32_t type;
    uint32_t value;
    uint64_t id;
    union {
        char text[IPC_TEXT_BYTES]; /* always ended */
        /* What became of the frames, by enum counter. They travel with the ack: a worker that dies between counting
         * and acking would count its frames twice. */
        uint32_t counts[IPC_COUNTS];
    };
};

/* How a worker leaves, beside 0 (all is done) and 1 (it cannot go on). */
enum ipc_exit {
    IPC_EXIT_TAKEN_OVER = 10, /* another master owns the worker's slot now */
    IPC_EXIT_OBSOLETE = 11,   /* a successor of the same master does */
    IPC_EXIT_MARKS_LOST = 12, /* Redis has lost data: its marks are older than what was committed */
};

struct channel {
    int data;    /* -1: closed */
    int control; /* -1: closed */
};

/* Makes both pairs, non-blocking and close-on-exec. */
bool channel_pair(struct channel *master_end, struct channel *worker_end, struct error *why);
void channel_close(struct channel *c);

enum ipc_result {
    IPC_OK,
    IPC_AGAIN,  /* nothing there, or no room: wait for the descriptor */
    IPC_GONE,   /* the other side is gone */
    IPC_BROKEN, /* it sent what is not a message: the talk cannot go on */
};

/* Sends one message, with a descriptor unless fd is -1 (the caller still owns it). */
enum ipc_result channel_send(const struct channel *c, const struct ipc_message *m, int fd);

/* Receives one message; *fd gets its descriptor (close-on-exec, the caller's now), or -1. No other descriptor that came
 * along stays open, whatever the other side sent. */
enum ipc_result channel_receive(const struct channel *c, struct ipc_message *m, int *fd);

#endif
