/* What goes over a channel. The first byte of the input says which of the pairs, the second how it is cut up.
 *
 * Control: messages of any size, some with descriptors: what is not a message ends the talk, no descriptor is
 * left open, a text is always ended. Data: the frames that come out do not depend on how the bytes arrived.
 * (A length on the data pair is the master's word: the target keeps it below 16 MB, as relay_max_message
 * does.) */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "fuzz.h"
#include "ipc/channel.h"
#include "worker/intake.h"

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

/* Frames as they come out, with their headers. */
static void play_data(const uint8_t *data, size_t size, uint32_t seed, struct buffer *frames)
{
    struct intake in;
    int pair[2];
    must(intake_init(&in) && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    buffer_clear(frames);
    while (size > 0) {
        size_t n = seed == 0 ? size : 1 + next_step(&seed) % 97;
        n = n < size ? n : size;
        must(write(pair[0], data, n) == (ssize_t)n);
        data += n;
        size -= n;
        must(intake_read(&in, pair[1]));
        struct frame_header header;
        const uint8_t *frame;
        while (intake_peek(&in, &header, &frame)) {
            buffer_append(frames, &header, sizeof header);
            buffer_append(frames, frame, header.len);
            intake_drop(&in, &header);
        }
        must(in.start <= in.end && in.end <= in.cap && !in.ended);
    }
    close(pair[0]);
    must(intake_read(&in, pair[1]) && in.ended);
    buffer_append(frames, in.data + in.start, in.end - in.start); /* what is left must be the same, too */
    close(pair[1]);
    intake_fini(&in);
}

/* Makes the lengths small enough, frame by frame. */
static void tame(uint8_t *data, size_t size)
{
    struct frame_header header;
    for (size_t at = 0; size - at >= sizeof header; at += sizeof header + header.len) {
        memcpy(&header, data + at, sizeof header);
        header.len &= 0xffffff;
        memcpy(data + at, &header, sizeof header);
        if (header.len > size - at - sizeof header)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer once, often;
    static uint8_t tamed[8192];
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
    play_data(tamed, size, 0, &once);
    play_data(tamed, size, seed, &often);
    must(once.len == often.len && (once.len == 0 || memcmp(once.data, often.data, once.len) == 0));
    return 0;
}
