/* log_shared.h: what the logs of all processes have in common, in memory that they share: the newest warnings and
 * errors, for status and top; and whether syslog has gone away, which any of them may notice and the master mends.
 *
 * A ring of fixed size. Any process writes, without a lock; a reader takes what is whole. A worker parses hostile
 * bytes, so a reader trusts nothing that stands here: texts are ended and made printable on the way out. */
#ifndef FIREHOSED_BASE_LOG_SHARED_H
#define FIREHOSED_BASE_LOG_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

enum { LOG_RECENT_LINES = 50, LOG_RECENT_TEXT_BYTES = 384, LOG_PROCESS_BYTES = 32 };

struct log_recent {
    int64_t time_us;
    enum log_level level;
    int pid;
    char process[LOG_PROCESS_BYTES];
    char text[LOG_RECENT_TEXT_BYTES]; /* printable UTF-8; cut where it is longer */
};

/* Makes it; processes that are forked from now on share it. Without memory there is none. */
void log_share(void);

/* Adds a line, where there is a ring. */
void log_recent_add(int64_t time_us, enum log_level level, int pid, const char *process, const char *text);

/* A line could not be sent to syslog: it was restarted. log_take_syslog_loss() is true once after that. */
void log_note_syslog_loss(void);
bool log_take_syslog_loss(void);

/* The newest `max` lines, newest first; returns how many. */
size_t log_recent_read(struct log_recent *out, size_t max);

#endif
