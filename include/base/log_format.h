/* log_format.h: formats a message as a line of text, as a line of JSON, or for syslog. Pure. */
#ifndef FIREHOSED_BASE_LOG_FORMAT_H
#define FIREHOSED_BASE_LOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log_level.h"

enum { LOG_LINE_BYTES = 4096 };

struct log_line {
    int64_t time_us;
    enum log_level level;
    const char *process;
    int pid;
    const char *text; /* printable: see log_make_printable() */
};

/* Replaces control characters, and bytes that are not UTF-8, by '?'. A message may contain text from a peer; such text
 * must not look like a line of its own, and must not control a terminal. */
void log_make_printable(char *text);

/* Writes the line, with its line end, into out, and cuts the text if the line is too long. Returns the line's
 * length. */
size_t log_format_line(const struct log_line *line, enum log_format format, bool for_syslog,
                       char out[LOG_LINE_BYTES]);

#endif
