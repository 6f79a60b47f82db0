#include "config.h"

#include "base/log_format.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/text.h"

static const int severities[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR};

void log_make_printable(char *text) { text_clean(text); }

/* Appends text to out[at..end), cut between characters. Returns where the text ends. */
static size_t put(char *out, size_t at, size_t end, const char *text)
{
    size_t len = utf8_fitting(text, end - at);
    memcpy(out + at, text, len);
    return at + len;
}

/* Appends text between quotes. The text is printable, so only two characters need an escape. */
static size_t put_json(char *out, size_t at, size_t end, const char *text)
{
    size_t limit = end - 1; /* room for the closing quote */
    out[at++] = '"';
    while (*text != '\0') {
        size_t n = 1;
        while (((unsigned char)text[n] & 0xc0) == 0x80)
            n++; /* the rest of the character */
        bool escaped = *text == '"' || *text == '\\';
        if (at + n + escaped > limit)
            break;
        if (escaped)
            out[at++] = '\\';
        memcpy(out + at, text, n);
        at += n;
        text += n;
    }
    out[at++] = '"';
    return at;
}

size_t log_format_line(const struct log_line *line, enum log_format format, bool for_syslog,
                       char out[LOG_LINE_BYTES])
{
    char now[CLOCK_TEXT_BYTES], head[256] = "";
    const size_t end = LOG_LINE_BYTES - 2; /* room for '}' and the line end */
    const char *level = log_level_name(line->level);
    size_t at = 0;
    clock_format_utc(line->time_us, now);
    if (for_syslog) { /* syslog adds the time itself, and takes each datagram as a line */
        snprintf(head, sizeof head, "<%d>firehosed[%d]: ", LOG_DAEMON | severities[line->level], line->pid);
        at = put(out, at, end, head);
    }
    if (format == LOG_FORMAT_JSON) {
        snprintf(head, sizeof head, "{\"time\":\"%s\",\"level\":\"%s\",\"process\":", now, level);
        at = put(out, at, end, head);
        at = put_json(out, at, end, line->process);
        snprintf(head, sizeof head, ",\"pid\":%d,\"text\":", line->pid);
        at = put(out, at, end, head);
        at = put_json(out, at, end, line->text);
        out[at++] = '}';
    } else {
        if (for_syslog)
            snprintf(head, sizeof head, "%s %s: ", level, line->process);
        else
            snprintf(head, sizeof head, "%s %s %s[%d]: ", now, level, line->process, line->pid);
        at = put(out, at, end, head);
        at = put(out, at, end, line->text);
    }
    if (!for_syslog)
        out[at++] = '\n';
    return at;
}
