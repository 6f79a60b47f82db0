/* log.h: writes each message as one line to stderr, a file or syslog, with a single write(2).
 *
 * The logger is the only global state here: a process has one log. The master opens the log. Workers have no descriptor
 * of it: they send their lines to the master, which limits them. A line in the two formats (log_format):
 *
 *   2026-11-24T10:41:35.123Z info worker-1[4711]: text
 *   {"time":"2026-11-24T10:41:35.123Z","level":"info","process":"worker-1","pid":4711,"text":"text"}
 *
 * syslog gets "<30>firehosed[4711]: info worker-1: text" (facility daemon, the level as severity).
 *
 * What the log gets in a minute is limited by place in the code and in bytes (log_fold.h). The master
 * keeps the newest warnings and errors of all processes (log_recent.h).
 *
 * Writing never waits. Lines for which a pipe, a terminal, a socket or a full disk has no room are lost and counted;
 * the log tells their number as soon as it takes lines again. */
#ifndef FIREHOSED_BASE_LOG_H
#define FIREHOSED_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log_level.h"

/* Sets the process name that every line shows ("master", "worker-1"). The name is copied. */
void log_name(const char *process);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_set_format(enum log_format format);

/* Opens `target`: the path of a file to append to; "syslog", or "syslog:PATH" for a socket other than /dev/log; NULL or
 * "" for stderr. Returns false and fills *why on failure; the log then stays where it was. */
bool log_open(const char *target, struct error *why);

/* Checks whether the effective user could open `target`. Makes no file, and leaves the log alone. Returns false and
 * fills *why if not. */
bool log_check(const char *target, struct error *why);
bool log_is_file(const char *target); /* returns true if the target is the path of a file */

/* In a worker: sends all further lines to the master, over a socket that keeps messages apart. */
void log_forward(int fd);

/* In the master: takes a message that a worker sent, from log_forward() or written to its stderr. The worker may be
 * hostile: its lines have the limits of one place (log_fold.h), which `sender` names. */
void log_take(const void *sender, const char *process, int pid, const char *message, size_t len);

/* Returns true once after a line could not be sent to syslog, because syslog was restarted. */
bool log_take_syslog_loss(void);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes a line that no limit may hold back: who of the operators has changed something. Not for texts from outside. */
void log_always(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) \
    do { if (log_get_level() <= LOG_LEVEL_DEBUG) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__); } while (0)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

/* For faults that may repeat in a storm: lets LOG_BURST lines a minute through and counts the others. Zero-initialise;
 * use one for each kind of message. */
struct log_throttle {
    int64_t minute_ends_ms;
    unsigned passed;
    uint64_t held_back;
};

/* log_write() behind a throttle. The first line of the next minute ends with "(N more like this)". */
void log_throttled(struct log_throttle *t, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Returns how many lines are not in the log so far, because of its limits or because nobody read it. */
uint64_t log_left_out(void);

/* Writes how many lines each place has held back in its minute, and how many were lost. Call it about once a second. */
void log_tick(void);

#endif
