#include "config.h"

#include "ipc/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool channel_pair(struct channel *master_end, struct channel *worker_end, struct error *why)
{
    enum { FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC };
    int data[2] = {-1, -1}, control[2] = {-1, -1}, log[2] = {-1, -1};
    bool ok = socketpair(AF_UNIX, SOCK_STREAM | FLAGS, 0, data) == 0 &&
              socketpair(AF_UNIX, SOCK_SEQPACKET | FLAGS, 0, control) == 0 &&
              socketpair(AF_UNIX, SOCK_SEQPACKET | FLAGS, 0, log) == 0;
    if (!ok)
        error_set(why, "socketpair: %s", strerror(errno));
    *master_end = (struct channel){.data = data[0], .control = control[0], .log = log[0]};
    *worker_end = (struct channel){.data = data[1], .control = control[1], .log = log[1]};
    if (!ok) {
        channel_close(master_end);
        channel_close(worker_end);
    }
    return ok;
}

void channel_close(struct channel *c)
{
    if (c->data >= 0)
        close(c->data);
    if (c->control >= 0)
        close(c->control);
    if (c->log >= 0)
        close(c->log);
    *c = (struct channel){.data = -1, .control = -1, .log = -1};
}

/* Room for one descriptor, aligned for the kernel. The alignment makes it large enough for two. */
union descriptor_space {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

enum ipc_result channel_send(const struct channel *c, const struct ipc_message *m, int fd)
{
    union descriptor_space space = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)m, .iov_len = sizeof *m};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = space.bytes;
        message.msg_controllen = sizeof space.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(head), &fd, sizeof fd);
    }
    ssize_t n;
    do
        n = sendmsg(c->control, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)sizeof *m)
        return IPC_OK;
    return n < 0 && (errno == EAGAIN || errno == ENOBUFS) ? IPC_AGAIN : IPC_GONE;
}

/* Returns the first descriptor of a received message, or -1, and closes all others. *count: how many there were. */
static int taken_descriptor(struct msghdr *message, size_t *count)
{
    int first = -1, fd;
    *count = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (head->cmsg_len - CMSG_LEN(0)) / sizeof fd;
        for (size_t i = 0; i < n; i++) {
            memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
            if ((*count)++ == 0)
                first = fd;
            else
                close(fd);
        }
    }
    return first;
}

enum ipc_result channel_receive(const struct channel *c, struct ipc_message *m, int *fd)
{
    union descriptor_space space = {.bytes = {0}};
    struct iovec part = {.iov_base = m, .iov_len = sizeof *m};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof space.bytes};
    size_t descriptors = 0;
    *fd = -1;
    ssize_t n;
    do
        n = recvmsg(c->control, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? IPC_AGAIN : IPC_GONE;
    *fd = taken_descriptor(&message, &descriptors);
    /* MSG_TRUNC: the datagram was longer than a message; MSG_CTRUNC: more descriptors than there was room for. */
    if (n == (ssize_t)sizeof *m && descriptors <= 1 && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
        m->text[sizeof m->text - 1] = '\0';
        return IPC_OK;
    }
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return n == 0 && descriptors == 0 ? IPC_GONE : IPC_BROKEN;
}
