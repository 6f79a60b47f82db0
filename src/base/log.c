#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_fold.h"
#include "base/log_format.h"
#include "base/log_shared.h"

static const char syslog_name[] = "syslog", syslog_socket[] = "/dev/log";

static struct {
    enum log_level level;
    enum log_format format;
    int fd;
    bool is_syslog;
    char name[LOG_PROCESS_BYTES];
    struct log_folds folds;
} the_log = {.level = LOG_LEVEL_INFO, .fd = STDERR_FILENO, .name = "firehosed"};

void log_name(const char *process)
{
    snprintf(the_log.name, sizeof the_log.name, "%s", process);
    the_log.folds.count = 0; /* the parent process reports its own */
}

void log_set_level(enum log_level level) { the_log.level = level; }
enum log_level log_get_level(void) { return the_log.level; }
void log_set_format(enum log_format format) { the_log.format = format; }
int log_descriptor(void) { return the_log.fd; }
bool log_is_syslog(void) { return the_log.is_syslog; }

/* ---- the target ---- */

void log_adopt(int fd, bool is_syslog)
{
    if (the_log.fd > STDERR_FILENO && the_log.fd != fd)
        close(the_log.fd);
    the_log.fd = fd;
    the_log.is_syslog = is_syslog;
}

/* The master opens the socket; a worker in its sandbox only writes to the descriptor, as to a file. */
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

bool log_open(const char *target, struct error *why)
{
    if (target == NULL || target[0] == '\0') {
        log_adopt(STDERR_FILENO, false);
        return true;
    }
    const char *path = syslog_path(target);
    int fd = path != NULL ? open_syslog(path, why)
                          : open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0) {
        if (path == NULL)
            error_set(why, "log file %s: %s", target, strerror(errno));
        return false;
    }
    log_adopt(fd, path != NULL);
    return true;
}

/* ---- lines ---- */

static void write_out(const struct log_line *line)
{
    char bytes[LOG_LINE_BYTES];
    size_t len = log_format_line(line, the_log.format, the_log.is_syslog, bytes);
    /* If the log cannot be written (disk full), the process goes on; it has no place to report the fault. */
    if (write(the_log.fd, bytes, len) < 0 && the_log.is_syslog && errno != EAGAIN && errno != EINTR)
        log_note_syslog_loss();
}

static void write_text(enum log_level level, const char *text)
{
    const struct log_line line = {
        .time_us = clock_unix_us(), .level = level, .process = the_log.name, .pid = (int)getpid(), .text = text};
    if (level >= the_log.level)
        write_out(&line);
    if (level >= LOG_LEVEL_WARN)
        log_recent_add(line.time_us, level, line.pid, line.process, text);
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
    if (place == NULL || log_fold_pass(&the_log.folds, place, level, text, clock_monotonic_ms()))
        write_text(level, text);
}

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
