#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/log_fold.h"
#include "base/log_format.h"
#include "base/log_recent.h"

static const char syslog_name[] = "syslog", syslog_socket[] = "/dev/log";

enum target {
    TARGET_FILE,   /* a file, pipe or terminal */
    TARGET_STREAM, /* stderr is a socket, as a service manager's journal has it */
    TARGET_SYSLOG,
    TARGET_MASTER, /* in a worker: a message is the level, in one byte, and the text */
};

static struct {
    enum log_level level;
    enum log_format format;
    enum target target;
    int fd;
    char name[LOG_PROCESS_BYTES];
    struct log_folds folds;
    uint64_t lost; /* lines that the target did not take, and that no line has told of */
    int lost_error;
    char rest[LOG_LINE_BYTES]; /* of a line that the target took in part */
    size_t rest_len;
    bool has_lost_syslog;
    uint64_t left_out; /* held back or lost, in all */
} the_log = {.level = LOG_LEVEL_INFO, .fd = STDERR_FILENO, .name = "firehosed"};

void log_name(const char *process)
{
    snprintf(the_log.name, sizeof the_log.name, "%s", process);
    the_log.folds.count = 0; /* the parent process reports its own */
}

void log_set_level(enum log_level level) { the_log.level = level; }
enum log_level log_get_level(void) { return the_log.level; }
void log_set_format(enum log_format format) { the_log.format = format; }

/* ---- the target ---- */

static void adopt(int fd, enum target target)
{
    if (the_log.fd > STDERR_FILENO)
        close(the_log.fd);
    the_log.fd = fd;
    the_log.target = target;
    the_log.rest_len = 0;
}

void log_forward(int fd)
{
    the_log.fd = fd; /* the old one is the master's */
    the_log.target = TARGET_MASTER;
    the_log.rest_len = 0;
    the_log.lost = 0;
}

/* The process shares the description of stderr with others, who would not expect it to be non-blocking. So a pipe or a
 * terminal is opened once more. A process that may not do so writes to stderr itself: see may_block(). */
static void open_stderr(void)
{
    struct stat what = {0};
    int fd = -1;
    if (fstat(STDERR_FILENO, &what) == 0 && (S_ISFIFO(what.st_mode) || S_ISCHR(what.st_mode)))
        fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    adopt(fd >= 0 ? fd : STDERR_FILENO, S_ISSOCK(what.st_mode) ? TARGET_STREAM : TARGET_FILE);
}

static int open_syslog(const char *path, struct error *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;
    if (strlen(path) >= sizeof address.sun_path) {
        error_set(why, "syslog %s: the path is too long for a socket", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    /* If syslog hangs, firehosed must go on: lines for which syslog has no room are lost. */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        error_set(why, "syslog %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* Returns the path of syslog's socket, or NULL if the target is not syslog. */
static const char *syslog_path(const char *target)
{
    size_t n = sizeof syslog_name - 1;
    if (strcmp(target, syslog_name) == 0)
        return syslog_socket;
    return strncmp(target, syslog_name, n) == 0 && target[n] == ':' ? target + n + 1 : NULL;
}

bool log_is_file(const char *target) { return target != NULL && target[0] != '\0' && syslog_path(target) == NULL; }

/* Opens a file, with O_CREAT or 0, without waiting for the reader of a pipe. Returns -1 with errno on failure. */
static int open_file(const char *path, int create)
{
    return open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | create, 0640);
}

static const char *reason(void) { return errno == ENXIO ? "nobody reads that pipe" : strerror(errno); }

bool log_open(const char *target, struct error *why)
{
    if (target == NULL || target[0] == '\0') {
        open_stderr();
        return true;
    }
    const char *path = syslog_path(target);
    int fd = path != NULL ? open_syslog(path, why) : open_file(target, O_CREAT);
    if (fd < 0) {
        if (path == NULL)
            error_set(why, "log file %s: %s", target, reason());
        return false;
    }
    adopt(fd, path != NULL ? TARGET_SYSLOG : TARGET_FILE);
    return true;
}

bool log_check(const char *target, struct error *why)
{
    char folder[1024];
    const char *path = syslog_path(target);
    if (target[0] == '\0')
        return true;
    int fd = path != NULL ? open_syslog(path, why) : open_file(target, 0);
    bool is_there = fd >= 0;
    if (is_there)
        close(fd);
    if (is_there || path != NULL)
        return is_there;
    snprintf(folder, sizeof folder, "%s", target);
    if (errno == ENOENT && faccessat(AT_FDCWD, dirname(folder), W_OK | X_OK, AT_EACCESS) == 0)
        return true;
    error_set(why, "'%s' cannot be written: %s, expected a file in a folder that firehosed may write to", target,
              reason());
    return false;
}

/* ---- lines ---- */

/* Returns true if a write to stderr itself would wait. A pipe that is ready has room for PIPE_BUF bytes. */
static bool may_block(void)
{
    struct pollfd stderr_now = {.fd = the_log.fd, .events = POLLOUT};
    return the_log.fd == STDERR_FILENO && poll(&stderr_now, 1, 0) == 0;
}

_Static_assert(LOG_LINE_BYTES <= PIPE_BUF, "a pipe takes a line whole or not at all");

static ssize_t write_some(const char *bytes, size_t len)
{
    if (the_log.target == TARGET_STREAM)
        return send(the_log.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (may_block()) {
        errno = EAGAIN;
        return -1;
    }
    return write(the_log.fd, bytes, len);
}

/* Writes the line, or the part of it for which there is room, and keeps the rest. Returns false if the line is lost: a
 * log that nobody reads must not hold the process up. */
static bool write_now(const char *line, size_t len)
{
    ssize_t n = the_log.rest_len > 0 ? write_some(the_log.rest, the_log.rest_len) : 0;
    if (n > 0) {
        the_log.rest_len -= (size_t)n;
        memmove(the_log.rest, the_log.rest + n, the_log.rest_len);
    }
    if (n >= 0 && the_log.rest_len > 0)
        errno = EAGAIN;
    if (the_log.rest_len > 0 || (n = write_some(line, len)) < 0)
        return false;
    if (the_log.target <= TARGET_STREAM) {
        the_log.rest_len = len - (size_t)n;
        memcpy(the_log.rest, line + n, the_log.rest_len);
    }
    return true;
}

static bool send_line(const struct log_line *line)
{
    char bytes[LOG_LINE_BYTES];
    size_t len;
    if (the_log.target == TARGET_MASTER) {
        bytes[0] = (char)line->level;
        len = 1 + utf8_fitting(line->text, sizeof bytes - 1);
        memcpy(bytes + 1, line->text, len - 1);
    } else {
        len = log_format_line(line, the_log.format, the_log.target == TARGET_SYSLOG, bytes);
    }
    return write_now(bytes, len);
}

static struct log_line own_line(enum log_level level, const char *text)
{
    return (struct log_line){
        .time_us = clock_unix_us(), .level = level, .process = the_log.name, .pid = (int)getpid(), .text = text};
}

/* Tells how many lines were lost, as soon as the target takes lines again. */
static bool report_loss(void)
{
    char text[128];
    snprintf(text, sizeof text, "%llu lines are lost, as the log did not take them: %s",
             (unsigned long long)the_log.lost,
             the_log.lost_error == EAGAIN ? "nobody reads it" : strerror(the_log.lost_error));
    const struct log_line line = own_line(LOG_LEVEL_WARN, text);
    if (the_log.lost > 0 && send_line(&line))
        the_log.lost = 0;
    return the_log.lost == 0;
}

static void write_out(const struct log_line *line)
{
    if (line->level >= the_log.level && (!report_loss() || !send_line(line))) {
        the_log.lost++;
        the_log.left_out++;
        the_log.lost_error = errno;
        the_log.has_lost_syslog |= the_log.target == TARGET_SYSLOG && errno != EAGAIN && errno != EINTR;
    }
    if (line->level >= LOG_LEVEL_WARN && the_log.target != TARGET_MASTER)
        log_recent_add(line);
}

bool log_take_syslog_loss(void)
{
    bool has_lost = the_log.has_lost_syslog;
    the_log.has_lost_syslog = false;
    return has_lost;
}

static void write_text(enum log_level level, const char *text)
{
    const struct log_line line = own_line(level, text);
    write_out(&line);
}

static bool passes(const void *place, enum log_level level, const char *text)
{
    bool pass = log_fold_pass(&the_log.folds, place, level, text, clock_monotonic_ms());
    the_log.left_out += !pass;
    return pass;
}

static void write_line(const void *place, enum log_level level, const char *format, va_list args, uint64_t held_back)
    __attribute__((format(printf, 3, 0)));
static void write_line(const void *place, enum log_level level, const char *format, va_list args, uint64_t held_back)
{
    char text[LOG_LINE_BYTES];
    int n = vsnprintf(text, sizeof text, format, args);
    if (n < 0)
        return;
    if (held_back > 0 && (size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, " (%llu more like this)", (unsigned long long)held_back);
    log_make_printable(text);
    if (place == NULL || passes(place, level, text))
        write_text(level, text);
}

uint64_t log_left_out(void) { return the_log.left_out; }

static void report_fold(const struct log_fold *fold, uint64_t held_back)
{
    char text[LOG_FOLD_TEXT_BYTES + 64];
    snprintf(text, sizeof text, "%s (%llu more like this)", fold->text, (unsigned long long)held_back);
    log_make_printable(text); /* the text may be cut within a character */
    write_text(fold->level, text);
}

void log_tick(void)
{
    const struct log_fold *fold;
    uint64_t held_back;
    report_loss();
    if (!the_log.folds.has_held_back)
        return;
    while ((fold = log_fold_due(&the_log.folds, clock_monotonic_ms(), &held_back)) != NULL)
        report_fold(fold, held_back);
}

/* Warnings are kept for status even if the log leaves them out. */
static bool is_wanted(enum log_level level) { return level >= the_log.level || level >= LOG_LEVEL_WARN; }

void log_write(enum log_level level, const char *format, ...)
{
    if (!is_wanted(level))
        return;
    va_list args;
    va_start(args, format);
    write_line(format, level, format, args, 0);
    va_end(args);
}

void log_always(enum log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(NULL, level, format, args, 0);
    va_end(args);
}

void log_take(const void *sender, const char *process, int pid, const char *message, size_t len)
{
    char text[LOG_LINE_BYTES];
    bool has_level = len > 0 && (unsigned char)message[0] <= LOG_LEVEL_ERROR;
    enum log_level level = has_level ? (enum log_level)message[0] : LOG_LEVEL_ERROR;
    snprintf(text, sizeof text, "%s%.*s", has_level ? "" : "stderr: ", (int)len - has_level, message + has_level);
    log_make_printable(text);
    const struct log_line line = {
        .time_us = clock_unix_us(), .level = level, .process = process, .pid = pid, .text = text};
    if (is_wanted(level) && passes(sender, level, text))
        write_out(&line);
}

/* Returns true if a line may be written now. *held_back gets the number of lines held back in the minute before. */
static bool throttle_pass(struct log_throttle *t, uint64_t *held_back)
{
    int64_t now = clock_monotonic_ms();
    *held_back = 0;
    if (now >= t->minute_ends_ms) {
        *held_back = t->held_back;
        *t = (struct log_throttle){.minute_ends_ms = now + LOG_MINUTE_MS};
    }
    if (t->passed >= LOG_BURST) {
        t->held_back++;
        return false;
    }
    t->passed++;
    return true;
}

void log_throttled(struct log_throttle *t, enum log_level level, const char *format, ...)
{
    uint64_t held_back;
    if (!is_wanted(level) || !throttle_pass(t, &held_back))
        return;
    va_list args;
    va_start(args, format);
    write_line(format, level, format, args, held_back);
    va_end(args);
}
