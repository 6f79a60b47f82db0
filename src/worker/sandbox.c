#include "config.h"

#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <malloc.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atproto/event_json.h"
#include "base/log.h"

#if defined __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum {
    /* Standard streams, channel, Redis and its successor: 8. A descriptor above the limit stays
     * open if it is open already. */
    DESCRIPTORS = 64,
    MEMORY_BESIDE_BATCHES = 64 << 20, /* TLS, replies, the allocator's own */
    JSON_GROWTH = 6,                  /* most bytes of JSON for one of a frame: "\u0000" for a NUL */
    PROBE_FAILED = 1,
};

/* ---- the filter ---- */

/* These calls are allowed with any arguments. Each comment says who needs them. */
static const int allowed[] = {
    /* the loop (worker.c) */
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(restart_syscall),
    /* channel, Redis: all on descriptors that are open */
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(close),
    /* malloc; it may not make a page executable, see below */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    /* OpenSSL: random bytes, whether it was forked, its locks */
    SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(futex),
    /* leaving: exit(), abort() with its signal to itself (see below), return from a handler */
    SCMP_SYS(exit_group), SCMP_SYS(exit), SCMP_SYS(rt_sigprocmask), SCMP_SYS(gettid), SCMP_SYS(rt_sigreturn),
#if SANITIZED
    /* Such a build is for finding bugs, never for production. AddressSanitizer maps what it likes, looks through /proc
     * and starts a symbolizer for its report. LeakSanitizer stops the process at its end with ptrace from a clone. The
     * filter still forbids what the tests try: connect, socket, open for writing. */
    SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(clone), SCMP_SYS(fork), SCMP_SYS(dup), SCMP_SYS(ptrace),
    SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigaction), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lseek), SCMP_SYS(getdents64),
    SCMP_SYS(getdents), SCMP_SYS(sched_yield), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(dup2), SCMP_SYS(execve),
    SCMP_SYS(getrlimit), SCMP_SYS(prlimit64), SCMP_SYS(getppid), SCMP_SYS(sched_getaffinity), SCMP_SYS(sysinfo),
    SCMP_SYS(access), SCMP_SYS(open), SCMP_SYS(kill), SCMP_SYS(process_vm_readv), SCMP_SYS(set_robust_list),
    SCMP_SYS(arch_prctl), SCMP_SYS(tkill), SCMP_SYS(getuid), SCMP_SYS(uname), SCMP_SYS(fcntl), SCMP_SYS(ioctl),
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
#endif
};

/* Conditions on an argument. (libseccomp's own macros leave a field out, which clang warns of.) */
static struct scmp_arg_cmp is_equal(unsigned arg, uint64_t value)
{
    return (struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

static struct scmp_arg_cmp has_bits(unsigned arg, uint64_t mask, uint64_t bits)
{
    return (struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};
}

/* 0, or a negative errno. */
static int add_rules(scmp_filter_ctx filter)
{
    int bad = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0] && bad == 0; i++)
        bad = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    /* Signals only to itself: abort(), and the death by SIGSYS below. */
    if (bad == 0)
        bad = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, is_equal(0, (uint64_t)getpid()));
#if SANITIZED
    if (bad == 0)
        bad = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, has_bits(2, O_ACCMODE, O_RDONLY));
#else
    /* Memory is never both written and run, and no file is mapped. */
    if (bad == 0)
        bad = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, has_bits(2, PROT_EXEC, 0),
                               has_bits(3, MAP_ANONYMOUS, MAP_ANONYMOUS));
    if (bad == 0)
        bad = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, has_bits(2, PROT_EXEC, 0));
#endif
    return bad;
}

static bool load_filter(bool only_log, struct error *why)
{
    scmp_filter_ctx filter = seccomp_init(only_log ? SCMP_ACT_LOG : SCMP_ACT_TRAP);
    if (filter == NULL) {
        error_set(why, "seccomp: the filter cannot be made");
        return false;
    }
    /* Calls by another ABI (32-bit, x32) have other numbers: a worker needs none of them. */
    int bad = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, only_log ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
    /* Kernels before 5.16 would turn speculative store bypass off for a process with a filter, which slows the decoder
     * down. A worker runs no foreign code that could exploit it. */
    if (bad == 0)
        bad = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    if (bad == 0)
        bad = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree: a few steps a call */
    if (bad == 0)
        bad = add_rules(filter);
    if (bad == 0)
        bad = seccomp_load(filter);
    seccomp_release(filter);
    if (bad != 0)
        error_set(why, "seccomp: %s", strerror(-bad));
    return bad == 0;
}

/* ---- death by a forbidden call ---- */

static _Atomic int *the_denied_call; /* in the worker's slot */

/* Runs instead of the call, and does only what is safe in a handler: a store and a signal. The signal kills, as SIGSYS
 * has its default action again (SA_RESETHAND); if it did not, the next forbidden call would. */
static void on_denied(int number, siginfo_t *info, void *context)
{
    (void)context;
    atomic_store(the_denied_call, info->si_syscall + 1);
    syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), number);
}

static bool watch_for_denied(struct worker_slot *slot, struct error *why)
{
    struct sigaction action = {.sa_sigaction = on_denied, .sa_flags = SA_SIGINFO | (int)SA_RESETHAND | SA_NODEFER};
    the_denied_call = &slot->denied_call;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSYS, &action, NULL) == 0)
        return true;
    error_set(why, "sigaction: %s", strerror(errno));
    return false;
}

/* ---- capabilities and limits ---- */

static bool drop_capabilities(struct error *why)
{
    /* Exec could bring the bounding set back. Without CAP_SETPCAP it cannot be emptied, and need not be: "no new
     * privileges" has the same effect. */
    for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
        prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capset, &head, none) == 0)
        return true;
    /* A service manager's own filter may forbid the call to a process that has no capabilities anyway. */
    int reason = errno;
    struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &head, held) == 0 && memcmp(held, none, sizeof none) == 0)
        return true;
    error_set(why, "capset: %s", strerror(reason));
    return false;
}

static bool limit(int resource, const char *name, rlim_t value, struct error *why)
{
    struct rlimit now, wanted = {.rlim_cur = value, .rlim_max = value};
    if (getrlimit(resource, &now) == 0 && now.rlim_max < value) /* tighter already */
        wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
    if (setrlimit(resource, &wanted) == 0)
        return true;
    error_set(why, "setrlimit %s: %s", name, strerror(errno));
    return false;
}

#if !SANITIZED
/* Returns the bytes of private, writable memory that the process has now, which RLIMIT_DATA counts. Much of it is the
 * master's, seen through fork and never written to. */
static rlim_t data_now(void)
{
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
    if (statm != NULL && fscanf(statm, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
        pages = 0;
    if (statm != NULL)
        fclose(statm);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Returns a limit far above the need of real frames (some MB), and just above that of the worst ones: two batches, each
 * full and with the largest event on top, in buffers that double, and a retried dead letter's frame in another. */
static rlim_t memory_limit(const struct config *c)
{
    int64_t batch = c->batch_size + c->event_max_size + JSON_GROWTH * c->relay_max_message;
    return data_now() + (rlim_t)(MEMORY_BESIDE_BATCHES + 2 * 2 * batch + 2 * c->relay_max_message);
}
#endif

static bool set_limits(const struct config *config, struct error *why)
{
#if SANITIZED
    (void)config; /* the shadow memory is terabytes */
#else
    if (!limit(RLIMIT_DATA, "DATA", memory_limit(config), why))
        return false;
#endif
    /* RLIMIT_FSIZE stays as it is: the log is a file of any size. */
    return limit(RLIMIT_CORE, "CORE", 0, why) && limit(RLIMIT_NOFILE, "NOFILE", DESCRIPTORS, why) &&
           (SANITIZED || limit(RLIMIT_NPROC, "NPROC", 0, why)) && limit(RLIMIT_MEMLOCK, "MEMLOCK", 0, why) &&
           limit(RLIMIT_MSGQUEUE, "MSGQUEUE", 0, why);
}

/* ---- the way in ---- */

void sandbox_take_streams(int log)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO && null >= 0; fd++)
        dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
    if (!SANITIZED) /* a sanitizer's report is long, and is for a developer */
        dup2(log, STDERR_FILENO);
}

bool sandbox_enter(const struct config *config, struct worker_slot *slot, struct error *why)
{
    if (config->sandbox == CONFIG_SANDBOX_OFF)
        return true;
#ifdef __GLIBC__
    /* If memory is short, glibc tries another arena, which reads a file in /proc before it shrinks. */
    mallopt(M_ARENA_MAX, 1);
#endif
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        error_set(why, "no new privileges: %s", strerror(errno));
        return false;
    }
    if (!set_limits(config, why) || !drop_capabilities(why))
        return false;
    /* The memory holds the password of Redis: there is no core file, and no other process of this user may look into
     * it. (A core pattern that is a pipe ignores RLIMIT_CORE.) LeakSanitizer has to look. */
    if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        error_set(why, "dumpable: %s", strerror(errno));
        return false;
    }
    return watch_for_denied(slot, why) && load_filter(config->sandbox == CONFIG_SANDBOX_LOG, why);
}

/* A shortage is no failure of the sandbox, and passes. A worker that cannot enter does not run. */
static bool cannot_be_tried(const char *what)
{
    log_warn("sandbox: cannot be tried now, as no process could be started: %s: %s", what, strerror(errno));
    return true;
}

bool sandbox_try(const struct config *config, struct error *why)
{
    int status, ends[2];
    if (config->sandbox == CONFIG_SANDBOX_OFF)
        return true;
    if (pipe(ends) != 0)
        return cannot_be_tried("pipe");
    pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return cannot_be_tried("fork");
    }
    if (child == 0) {
        static struct worker_slot slot;
        if (sandbox_enter(config, &slot, why))
            syscall(SYS_exit_group, 0); /* not _exit(): nothing else may run, and it shows that the filter works */
        ssize_t ignored = write(ends[1], why->text, strlen(why->text));
        (void)ignored;
        _exit(PROBE_FAILED);
    }
    close(ends[1]);
    pid_t ended;
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    bool ok = ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    char text[sizeof why->text];
    ssize_t n = ok ? 0 : read(ends[0], text, sizeof text - 1);
    if (!ok)
        error_set(why, "%.*s", n > 0 ? (int)n : 0, text);
    if (!ok && n <= 0)
        error_set(why, ended != child ? "waitpid: the trial's end is unknown" : "the process that tried it was killed");
    close(ends[0]);
    return ok;
}
