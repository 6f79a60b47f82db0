/* log_shared.h: memory that the logs of all processes share: the newest warnings and errors, for status and top, and a
 * flag that syslog was lost. Any process may notice the loss; the master then opens syslog again.
 *
 * The lines lie in a ring of fixed size. Any process writes without a lock; a reader takes only whole lines. A worker
 * parses hostile bytes, so a reader trusts nothing here: it terminates each text and makes it printable. */
#ifndef FIREHOSED_BASE_LOG_SHARED_H
#define FIREHOSED_BASE_LOG_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log_level.h"

enum { LOG_RECENT_LINES = 50, LOG_RECENT_TEXT_BYTES = 384, LOG_PROCESS_BYTES = 32 };

struct log_recent {
    int64_t time_us;
    enum log_level level;
    int pid;
    char process[LOG_PROCESS_BYTES];
    char text[LOG_RECENT_TEXT_BYTES]; /* printable UTF-8; a longer text is cut */
};

/* Creates the shared memory; processes that are forked later share it. Does nothing if memory is short: the functions
 * below then keep no lines. */
void log_share(void);

/* Adds a line to the ring. */
void log_recent_add(int64_t time_us, enum log_level level, int pid, const char *process, const char *text);

/* Notes that a line could not be sent to syslog, because syslog was restarted. log_take_syslog_loss() returns true once
 * after that. */
void log_note_syslog_loss(void);
bool log_take_syslog_loss(void);

/* Copies up to `max` lines, newest first. Returns their number. */
size_t log_recent_read(struct log_recent *out, size_t max);

#endif
