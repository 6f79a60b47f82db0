/* log_recent.h: the newest warnings and errors of all processes, for status and top. The master keeps them in a ring of
 * fixed size. */
#ifndef FIREHOSED_BASE_LOG_RECENT_H
#define FIREHOSED_BASE_LOG_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/log_format.h"

enum { LOG_RECENT_LINES = 50, LOG_RECENT_TEXT_BYTES = 384, LOG_PROCESS_BYTES = 32 };

struct log_recent {
    int64_t time_us;
    enum log_level level;
    int pid;
    char process[LOG_PROCESS_BYTES];
    char text[LOG_RECENT_TEXT_BYTES]; /* printable UTF-8; a longer text is cut */
};

/* Adds a line to the ring. */
void log_recent_add(const struct log_line *line);

/* Copies up to `max` lines, newest first. Returns their number. */
size_t log_recent_read(struct log_recent *out, size_t max);

#endif
