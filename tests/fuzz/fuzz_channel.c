/* What goes over a channel. The first byte of the input says which of the pairs, the second how it is cut up.
 *
 * Control: messages of any size, some with descriptors: what is not a message ends the talk, no descriptor is left
 * open, a text is always ended. Data: what comes out does not depend on how the bytes arrived, and lies in the ring. */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "fuzz.h"
#include "ipc/channel.h"
#include "worker/intake.h"

enum { RING_BYTES = 64 * 1024 };

static void send_datagram(const struct channel *c, const uint8_t *bytes, size_t n, int descriptors)
{
    static const int fds[3] = {STDIN_FILENO, STDIN_FILENO, STDIN_FILENO};
    union {
        char bytes[CMSG_SPACE(sizeof fds)];
        struct cmsghdr align;
    } space = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptors > 0) {
        size_t len = (size_t)descriptors * sizeof fds[0];
        message.msg_control = space.bytes;
        message.msg_controllen = CMSG_SPACE(len);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(len);
        memcpy(CMSG_DATA(head), fds, len);
    }
    must(sendmsg(c->control, &message, MSG_NOSIGNAL) == (ssize_t)n);
}

/* The lowest descriptor that is free: how a leak shows. */
static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);
    must(fd >= 0);
    close(fd);
    return fd;
}

static void play_control(const uint8_t *data, size_t size, uint32_t seed)
{
    struct channel master, worker;
    struct ipc_message m;
    struct error why;
    int got;
    bool is_over = false;
    must(channel_pair(&master, &worker, &why));
    while (size > 0 && !is_over) {
        /* Mostly of a message's size: the others are refused at a glance. */
        size_t n = next_step(&seed) % 8 == 0 ? next_step(&seed) % 400 : sizeof(struct ipc_message);
        uint8_t datagram[400] = {0};
        size_t have = n < size ? n : size;
        memcpy(datagram, data, have);
        data += have;
        size -= have;
        int descriptors = next_step(&seed) % 4, lowest = next_descriptor();
        send_datagram(&worker, datagram, n, descriptors);
        enum ipc_result result = channel_receive(&master, &m, &got);
        bool is_message = n == sizeof m && descriptors <= 1;
        must(result == (is_message                   ? IPC_OK
                        : n == 0 && descriptors == 0 ? IPC_GONE
                                                     : IPC_BROKEN),
             "%d", result);
        must((got >= 0) == (descriptors == 1 && is_message));
        is_over = !is_message;
        if (got >= 0) {
            must(fcntl(got, F_GETFD) == FD_CLOEXEC);
            close(got);
        }
        must(next_descriptor() == lowest, "a descriptor is left open");
        if (result == IPC_OK)
            must(strnlen(m.text, sizeof m.text) < sizeof m.text);
    }
    must(is_over || channel_receive(&master, &m, &got) == IPC_AGAIN);
    channel_close(&worker);
    must(channel_receive(&master, &m, &got) == IPC_GONE);
    channel_close(&master);
}

/* Takes some of what is there, all of it where `seed` is 0. */
static void take_refs(struct intake *in, uint32_t *seed, const uint8_t *ring, struct buffer *refs)
{
    struct frame_ref ref;
    const uint8_t *frame;
    while (intake_peek(in, &ref, &frame) && (*seed == 0 || next_step(seed) % 8 != 0)) {
        must(frame >= ring && ref.len <= RING_BYTES && frame + ref.len <= ring + 2 * RING_BYTES);
        buffer_append(refs, &ref, sizeof ref);
        intake_drop(in);
    }
}

/* References as they come out. False: one of them was refused. */
static bool play_data(const uint8_t *data, size_t size, uint32_t seed, struct buffer *refs)
{
    static const uint8_t ring[2 * RING_BYTES];
    static struct intake in;
    int pair[2];
    bool ok = true;
    intake_init(&in, &(struct ring_view){.bytes = ring, .size = RING_BYTES});
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    buffer_clear(refs);
    while (size > 0 && ok) {
        size_t n = seed == 0 ? size : 1 + next_step(&seed) % 997;
        n = n < size ? n : size;
        must(write(pair[0], data, n) == (ssize_t)n);
        data += n;
        size -= n;
        ok = intake_read(&in, pair[1]);
        must(!in.ended && in.bytes <= sizeof in.refs);
        if (ok)
            take_refs(&in, &seed, ring, refs);
    }
    close(pair[0]);
    seed = 0;
    while (ok && !in.ended) { /* what there was no room for */
        ok = intake_read(&in, pair[1]);
        if (ok)
            take_refs(&in, &seed, ring, refs);
    }
    must(!ok || intake_is_empty(&in));
    close(pair[1]);
    return ok;
}

/* Makes most of the references good ones. */
static void tame(uint8_t *data, size_t size)
{
    struct frame_ref ref;
    for (size_t at = 0; size - at >= sizeof ref; at += sizeof ref) {
        memcpy(&ref, data + at, sizeof ref);
        if (ref.cause % 16 != 15) {
            ref.at %= RING_BYTES;
            ref.len %= RING_BYTES + 1;
        }
        memcpy(data + at, &ref, sizeof ref);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer once, often;
    static uint8_t tamed[2 * INTAKE_REFS * sizeof(struct frame_ref)];
    bool is_control = take_number(&data, &size, 1) & 1;
    uint32_t seed = take_number(&data, &size, 1) + 1;
    if (size > sizeof tamed)
        return 0;
    if (is_control) {
        play_control(data, size, seed);
        return 0;
    }
    if (size > 0)
        memcpy(tamed, data, size);
    tame(tamed, size);
    bool ok = play_data(tamed, size, 0, &once);
    must(play_data(tamed, size, seed, &often) == ok);
    if (ok)
        must(once.len == often.len && (once.len == 0 || memcmp(once.data, often.data, once.len) == 0));
    return 0;
}
