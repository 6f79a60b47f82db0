/* log_format.h: a message as a line of text, of JSON, or for syslog. Pure. */
#ifndef FIREHOSED_BASE_LOG_FORMAT_H
#define FIREHOSED_BASE_LOG_FORMAT_H

#include <stddef.h>

#include "base/log.h"

enum { LOG_LINE_BYTES = 4096 };

struct log_line {
    int64_t time_us;
    enum log_level level;
    const char *process;
    int pid;
    const char *text; /* printable: log_make_printable() */
};

/* Replaces control characters and what is not UTF-8 by '?': what peers send may stand in a message, and must neither
 * forge a line of its own nor steer a terminal. */
void log_make_printable(char *text);

/* Writes the line, with its end, into out; returns its length. It is cut where it is too long. */
size_t log_format_line(const struct log_line *line, enum log_format format, bool for_syslog,
                       char out[LOG_LINE_BYTES]);

#endif
