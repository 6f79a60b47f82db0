/* log.h: one line a message, to stderr, a file or syslog, written with a single write(2).
 *
 * The logger is the one thing here that is global: a process has one log. The master opens it; workers
 * inherit the descriptor, and get the new one over their channel when the log is opened again.
 * A line, as text or as JSON (log_format):
 *
 *   2026-11-24T10:41:35.123Z info worker-1[4711]: text
 *   {"time":"2026-11-24T10:41:35.123Z","level":"info","process":"worker-1","pid":4711,"text":"text"}
 *
 * To syslog (facility daemon, the level as severity) goes "<30>firehosed[4711]: info worker-1: text".
 *
 * Warnings and errors that repeat word for word are folded: LOG_BURST a minute are written, then one line tells how
 * many more there were. The newest of all processes are kept in shared memory (log_shared.h). */
#ifndef FIREHOSED_BASE_LOG_H
#define FIREHOSED_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON }; /* in the order of the configuration's choices */

const char *log_level_name(enum log_level level); /* "debug", … */

/* Names the process in every line ("master", "worker-1"); the pid is added. The name is copied. */
void log_name(const char *process);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_set_format(enum log_format format);

/* Opens `target`: a path, to append to; "syslog", or "syslog:PATH" where its socket is not /dev/log; NULL or "":
 * stderr. On failure the log stays where it was. */
bool log_open(const char *target, struct error *why);
bool log_is_file(const char *target); /* it is a path */

/* The descriptor in use, for handing to another process, and whether it leads to syslog; log_adopt() takes one over
 * (closing the old). */
int log_descriptor(void);
bool log_is_syslog(void);
void log_adopt(int fd, bool is_syslog);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) \
    do { if (log_get_level() <= LOG_LEVEL_DEBUG) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__); } while (0)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

/* For faults that can repeat in a storm: lets LOG_BURST lines a minute through and counts those held back. The first
 * line of the next minute says how many it stands for. Zero-initialise; one for each kind of message. */
enum { LOG_BURST = 4 };

struct log_throttle {
    int64_t minute_ends_ms;
    unsigned passed;
    uint64_t held_back;
};

/* log_write() behind a throttle; adds "(N more like this)" where some were held back. */
void log_throttled(struct log_throttle *t, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Called about once a second: tells of lines that were folded, when their minute is over. */
void log_tick(void);

#endif
