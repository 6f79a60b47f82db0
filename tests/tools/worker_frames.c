/* worker_frames.c: stands in front of the calls by which a worker gets its frames: the ring is mapped, for reading, by
 * the master; the channel's data pair is the newest pair of streams when the worker is forked; and what it reads from
 * its end says where in the ring a frame lies. */
#define _GNU_SOURCE
#include "worker_frames.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/counters.h"

static const char *ring;
static int data_end = -1, letter = -1;
static pid_t master; /* who made the pair */
static char *shared[OWN_PAGES], *own[OWN_PAGES];
static int control = -1;
static bool control_is_next; /* a channel's control pair is made behind its data pair */

/* The ring is mapped twice, the first half first. */
void *mmap(void *place, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *mapped = (void *)syscall(SYS_mmap, place, size, protection, flags, fd, offset);
    if (protection == PROT_READ && flags == (MAP_SHARED | MAP_FIXED) && ring == NULL && mapped != MAP_FAILED)
        ring = mapped;
    if (flags == (MAP_SHARED | MAP_ANONYMOUS) && size == sizeof(struct counters))
        shared[shared[0] != NULL] = mapped;
    return mapped;
}

/* A worker unmaps the pages in front of its own, and those behind it. */
int munmap(void *place, size_t size)
{
    char *at = place;
    for (int i = 0; i < OWN_PAGES; i++)
        if (shared[i] != NULL && at == shared[i])
            own[i] = at + size;
        else if (shared[i] != NULL && at > shared[i] && at < shared[i] + sizeof(struct counters))
            own[i] = at - WORKER_PAGE_BYTES;
    return (int)syscall(SYS_munmap, place, size);
}

char *own_page(int which) { return own[which]; }
int control_end(void) { return control; }

int socketpair(int domain, int type, int protocol, int ends[2])
{
    int result = (int)syscall(SYS_socketpair, domain, type, protocol, ends);
    if (result == 0 && (type & 0xf) == SOCK_STREAM) {
        data_end = ends[1];
        master = getpid();
        control_is_next = true;
    } else if (result == 0 && control_is_next) {
        control = ends[1];
        control_is_next = false;
    }
    return result;
}

/* A dead letter that is tried again comes as a file. */
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t got = syscall(SYS_recvmsg, fd, message, flags);
    const struct ipc_message *m = message->msg_iov[0].iov_base;
    const struct cmsghdr *head = CMSG_FIRSTHDR(message);
    if (got == (ssize_t)sizeof *m && m->type == IPC_RETRY && head != NULL && head->cmsg_type == SCM_RIGHTS)
        memcpy(&letter, CMSG_DATA(head), sizeof letter);
    return got;
}

ssize_t read(int fd, void *bytes, size_t size)
{
    ssize_t got = syscall(SYS_read, fd, bytes, size);
    if (fd == letter && got > 0)
        on_worker_frame(bytes, (size_t)got);
    else if (fd == letter)
        letter = -1;
    if (got <= 0 || fd != data_end || syscall(SYS_getpid) == master)
        return got;
    const struct frame_ref *refs = bytes;
    if ((size_t)got % sizeof *refs != 0)
        abort(); /* a part of one: this library does not put them together */
    for (size_t i = 0; i < (size_t)got / sizeof *refs; i++)
        if (refs[i].verdict == VERDICT_NONE)
            on_worker_frame(ring + refs[i].at, refs[i].len);
    return got;
}
