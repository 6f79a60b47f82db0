/* misbehave.c: makes a worker do what an attacker inside it would do. A shared library to preload (LD_PRELOAD) into
 * firehosed, for the whole-system tests.
 *
 * It looks into each frame that a worker gets for
 *
 *   misbehave:VERB;        once (whatever it comes of: the frame comes again to the worker's successor)
 *   misbehave:VERB*;       every time
 *
 * A verb is a system call of the table below, made by its number as an attacker's own code would make it, or a way to
 * die: crash, abort, exit, hang, or leave with the status that says another firehosed has taken over; or the next
 * message to the master is too short (garble), of a type that there is not (babble) or empty (vanish); or it writes
 * into the ring (scribble), or as much as it can into the log (shout); or each of its acks is preceded by the report
 * that its newest event is of this moment (flatter); or it does whatever comes into its head, and is never a worker
 * again (rage). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/counters.h"
#include "worker_frames.h"

struct verb {
    const char *name;
    long number;
    long arguments[6];
};

static const char password_file[] = "/etc/passwd", shell[] = "/bin/true";
static const char *const shell_arguments[] = {shell, NULL};
static const struct sockaddr_in elsewhere = {.sin_family = AF_INET, .sin_port = 0x5000, .sin_addr = {0x0100007f}};
static char scratch[4096] __attribute__((aligned(4096)));

#define P(pointer) ((long)(pointer))

static const struct verb verbs[] = {
    {"openat", SYS_openat, {AT_FDCWD, P(password_file), O_RDONLY}},
    {"openat-write", SYS_openat, {AT_FDCWD, P("/tmp/misbehaved"), O_WRONLY | O_CREAT, 0600}},
    {"execve", SYS_execve, {P(shell), P(shell_arguments), 0}},
    {"execveat", SYS_execveat, {AT_FDCWD, P(shell), P(shell_arguments), 0, 0}},
    {"clone", SYS_clone, {SIGCHLD}},
    {"clone3", SYS_clone3, {0, 0}},
    {"ptrace", SYS_ptrace, {PTRACE_TRACEME}},
    {"process_vm_readv", SYS_process_vm_readv, {1, 0, 0, 0, 0, 0}},
    {"socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
    {"connect", SYS_connect, {0, P(&elsewhere), sizeof elsewhere}},
    {"bind", SYS_bind, {0, P(&elsewhere), sizeof elsewhere}},
    {"sendto", SYS_sendto, {0, P(scratch), 1, 0, P(&elsewhere), sizeof elsewhere}},
    {"kill", SYS_kill, {-1, 0}},
    {"tgkill", SYS_tgkill, {1, 1, 0}},
    {"mmap", SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"mprotect", SYS_mprotect, {P(scratch), sizeof scratch, PROT_READ | PROT_EXEC}},
    {"memfd_create", SYS_memfd_create, {P("x"), 0}},
    {"unlink", SYS_unlink, {P("/tmp/misbehaved")}},
    {"setuid", SYS_setuid, {0}},
    {"prctl", SYS_prctl, {4 /* PR_SET_DUMPABLE */, 1}},
    {"seccomp", SYS_seccomp, {1, 0, 0}},
    {"rt_sigaction", SYS_rt_sigaction, {SIGSYS, 0, 0, 8}},
    {"unshare", SYS_unshare, {0}},
    {"bpf", SYS_bpf, {0, 0, 0}},
    {"io_uring_setup", SYS_io_uring_setup, {1, 0}},
    {"chroot", SYS_chroot, {P("/")}},
    {"ioctl", SYS_ioctl, {0, 0x5412 /* TIOCSTI */, P(scratch)}},
};
enum { VERBS = sizeof verbs / sizeof verbs[0], OWN_VERBS = 12 };
static const char *const own_verbs[OWN_VERBS] = {"crash",  "abort",  "exit",  "hang",    "garble",
                                                  "babble", "vanish", "leave", "scribble", "shout", "flatter", "rage"};

static enum { HONEST, SHORT, OF_NO_TYPE, EMPTY } next_message;
static bool flatters;
static char *frame_at; /* in the ring: the frame that brought the order */
static atomic_bool *done; /* one a verb; shared with all that are forked */

/* What some container runtimes do: no process in here can install a filter. */
static void forbid_filters(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        abort();
}

__attribute__((constructor)) static void begin(void)
{
    done = mmap(NULL, sizeof *done * (VERBS + OWN_VERBS), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (done == MAP_FAILED)
        abort();
    if (getenv("MISBEHAVE_NO_SECCOMP") != NULL)
        forbid_filters();
}

/* An old kernel, with MISBEHAVE_OLD_KERNEL. */
int close_range(unsigned first, unsigned last, int flags)
{
    if (getenv("MISBEHAVE_OLD_KERNEL") == NULL)
        return (int)syscall(SYS_close_range, first, last, flags);
    errno = ENOSYS;
    return -1;
}

/* stderr leads into the log. Half of the lines are not in the form of log_forward(). */
static void shout(void)
{
    char line[4000];
    memset(line, 'x', sizeof line);
    for (unsigned i = 0; i < 100000;) {
        line[0] = i % 2 == 0 ? 3 : 'x'; /* an error, by its own account */
        line[1 + snprintf(line + 1, 12, "%u", i)] = 'x';
        if (write(STDERR_FILENO, line, sizeof line) > 0)
            i++;
        else if (errno != EAGAIN)
            abort();
    }
}

/* ---- rage ---- */

enum {
    RAGE_MESSAGES = 3000,
    RAGE_STORES = 200,
    RAGE_PAGE_BYTES = 1024,
    LONG_MESSAGE_BYTES = 2 * sizeof(struct ipc_message)
};

static uint64_t chance_state;

static uint64_t chance(void)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return chance_state;
}

/* Stores numbers of all sizes wherever the master reads. */
static void store_anywhere(void)
{
    char *where = own_page((int)(chance() % OWN_PAGES)) + chance() % (RAGE_PAGE_BYTES / 4) * 4;
    *(volatile uint32_t *)(void *)where = (uint32_t)(chance() >> chance() % 64);
}

/* Sends a message that cannot be sent at once (there is no room, or too many descriptors are under way) again and
 * again: the master is reading. */
static void send_to_master(const void *bytes, size_t len, unsigned descriptors)
{
    const int fds[2] = {STDERR_FILENO, STDERR_FILENO};
    union {
        char bytes[CMSG_SPACE(sizeof fds)];
        struct cmsghdr align;
    } space = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptors > 0) {
        message.msg_control = space.bytes;
        message.msg_controllen = CMSG_SPACE(descriptors * sizeof fds[0]);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(descriptors * sizeof fds[0]);
        memcpy(CMSG_DATA(head), fds, descriptors * sizeof fds[0]);
    }
    while (syscall(SYS_sendmsg, control_end(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        store_anywhere();
}

/* A flood of messages of every type that the master takes, with every field random, some with a descriptor, and
 * stores in between. The end is what the seed says: one of five messages that are none, or silence. */
static __attribute__((noreturn)) void rage(void)
{
    const char *seed = getenv("MISBEHAVE_SEED");
    uint64_t number = seed != NULL ? strtoull(seed, NULL, 10) : 1, bytes[LONG_MESSAGE_BYTES / 8];
    struct ipc_message *m = (void *)bytes;
    chance_state = number + 1;
    for (int i = 0; i < RAGE_MESSAGES; i++) {
        for (int n = 0; n < RAGE_STORES; n++)
            store_anywhere();
        for (size_t n = 0; n < sizeof bytes / sizeof bytes[0]; n++)
            bytes[n] = chance() >> chance() % 64;
        m->type = IPC_RETRIED + (uint32_t)(chance() % (IPC_PONG - IPC_RETRIED + 1));
        send_to_master(m, sizeof *m, chance() % 8 == 0);
    }
    switch (number % 6) {
    case 0:
        send_to_master(bytes, 0, 0);
        break;
    case 1:
        send_to_master(bytes, 5, 0);
        break;
    case 2:
        send_to_master(bytes, sizeof bytes, 0);
        break;
    case 3:
        m->type = 999;
        send_to_master(m, sizeof *m, 0);
        break;
    case 4:
        send_to_master(m, sizeof *m, 2);
        break;
    }
    for (;;)
        store_anywhere();
}

static void act(int verb)
{
    const long *a = verb < VERBS ? verbs[verb].arguments : NULL;
    if (a != NULL) {
        long child = syscall(verbs[verb].number, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (verbs[verb].number == SYS_clone && child == 0)
            _exit(0);
        return;
    }
    switch (verb - VERBS) {
    case 0:
        *(volatile char *)NULL = 0;
        break;
    case 1:
        abort();
    case 2:
        _exit(3);
    case 3:
        for (;;)
            atomic_signal_fence(memory_order_seq_cst);
    case 4:
        next_message = SHORT;
        break;
    case 5:
        next_message = OF_NO_TYPE;
        break;
    case 6:
        next_message = EMPTY;
        break;
    case 7:
        _exit(IPC_EXIT_TAKEN_OVER);
    case 9:
        shout();
        break;
    case 10:
        flatters = true;
        break;
    case 11:
        rage();
    default: {
        char *page = (char *)((uintptr_t)frame_at & ~(uintptr_t)4095);
        syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE); /* the filter lets it pass */
        memset(frame_at, 'x', 16);
    }
    }
}

static void flatter(struct worker_slot *slot)
{
    atomic_store(&slot->lag_us, 0);
    atomic_store(&slot->commit_us, (int64_t)time(NULL) * 1000000);
}

/* What the worker sends to the master goes through here. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    uint32_t type = 999;
    char bytes[4096] = "";
    size_t len = message->msg_iov[0].iov_len;
    if (flatters)
        flatter((void *)own_page(0));
    if (next_message == HONEST || len > sizeof bytes)
        return syscall(SYS_sendmsg, fd, message, flags);
    memcpy(bytes, message->msg_iov[0].iov_base, len);
    memcpy(bytes, &type, sizeof type);
    struct iovec part = {.iov_base = bytes, .iov_len = next_message == SHORT ? 5 : next_message == EMPTY ? 0 : len};
    struct msghdr odd = {.msg_iov = &part, .msg_iovlen = 1};
    next_message = HONEST;
    return syscall(SYS_sendmsg, fd, &odd, flags) < 0 ? -1 : (ssize_t)len; /* it believes itself */
}

/* Which verb stands at `text`: its index, or -1. */
static int find_verb(const char *text, size_t len, bool *always)
{
    for (int v = 0; v < VERBS + OWN_VERBS; v++) {
        const char *name = v < VERBS ? verbs[v].name : own_verbs[v - VERBS];
        size_t n = strlen(name);
        if (len < n + 2 || memcmp(text, name, n) != 0)
            continue;
        *always = text[n] == '*';
        if (text[n] == ';' || *always)
            return v;
    }
    return -1;
}

void on_worker_frame(const char *bytes, size_t len)
{
    static const char magic[] = "misbehave:";
    const char *at = bytes, *end = bytes + len;
    frame_at = (char *)(uintptr_t)bytes;
    while ((at = memmem(at, (size_t)(end - at), magic, sizeof magic - 1)) != NULL) {
        bool always = false;
        at += sizeof magic - 1;
        int verb = find_verb(at, (size_t)(end - at), &always);
        if (verb >= 0 && (!atomic_exchange(&done[verb], true) || always))
            act(verb);
    }
}
