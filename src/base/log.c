#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_BYTES = 4096, NAME_BYTES = 32, MINUTE_MS = 60000 };

static struct {
    enum log_level level;
    int fd;
    char name[NAME_BYTES];
} the_log = {.level = LOG_LEVEL_INFO, .fd = STDERR_FILENO, .name = "firehosed"};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_name(const char *process) { snprintf(the_log.name, sizeof the_log.name, "%s", process); }

void log_set_level(enum log_level level) { the_log.level = level; }

enum log_level log_get_level(void) { return the_log.level; }

int log_descriptor(void) { return the_log.fd; }

void log_adopt(int fd)
{
    if (the_log.fd > STDERR_FILENO && the_log.fd != fd)
        close(the_log.fd);
    the_log.fd = fd;
}

bool log_open(const char *path, struct error *why)
{
    if (path == NULL || path[0] == '\0') {
        log_adopt(STDERR_FILENO);
        return true;
    }
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0) {
        error_set(why, "log file %s: %s", path, strerror(errno));
        return false;
    }
    log_adopt(fd);
    return true;
}

__attribute__((format(printf, 2, 0)))
static void write_line(enum log_level level, const char *format, va_list args, uint64_t held_back)
{
    char line[LINE_BYTES];
    char now[CLOCK_TEXT_BYTES];
    size_t n = (size_t)snprintf(line, sizeof line, "%s %s %s[%d]: ", clock_format_utc(clock_unix_us(), now),
                                level_names[level], the_log.name, (int)getpid());
    size_t text = n;
    int wrote = vsnprintf(line + n, sizeof line - n, format, args);
    if (wrote > 0)
        n += (size_t)wrote;
    if (n < sizeof line && held_back > 0)
        n += (size_t)snprintf(line + n, sizeof line - n, " (%llu more like this)", (unsigned long long)held_back);
    if (n > sizeof line - 1)
        n = sizeof line - 1;
    /* What peers send may stand in a message: it must not be able to forge a line of its own. */
    for (size_t i = text; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[n++] = '\n';
    /* A log that cannot be written (disk full) is no reason to stop working, and there is nowhere to say so. */
    ssize_t ignored = write(the_log.fd, line, n);
    (void)ignored;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level < the_log.level)
        return;
    va_list args;
    va_start(args, format);
    write_line(level, format, args, 0);
    va_end(args);
}

/* True if a line may be written now; *held_back is how many were not, in the minute before. */
static bool throttle_pass(struct log_throttle *t, uint64_t *held_back)
{
    int64_t now = clock_monotonic_ms();
    *held_back = 0;
    if (now >= t->minute_ends_ms) {
        *held_back = t->held_back;
        *t = (struct log_throttle){.minute_ends_ms = now + MINUTE_MS};
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
    if (level < the_log.level || !throttle_pass(t, &held_back))
        return;
    va_list args;
    va_start(args, format);
    write_line(level, format, args, held_back);
    va_end(args);
}
