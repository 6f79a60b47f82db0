#include "config.h"

#include "base/log_recent.h"

#include <stdio.h>

static struct {
    struct log_recent lines[LOG_RECENT_LINES];
    uint64_t count; /* of all lines so far */
} the_ring;

void log_recent_add(const struct log_line *line)
{
    struct log_recent *r = &the_ring.lines[the_ring.count++ % LOG_RECENT_LINES];
    *r = (struct log_recent){.time_us = line->time_us, .level = line->level, .pid = line->pid};
    snprintf(r->process, sizeof r->process, "%s", line->process);
    snprintf(r->text, sizeof r->text, "%s", line->text);
    log_make_printable(r->text); /* it may be cut within a character */
}

size_t log_recent_read(struct log_recent *out, size_t max)
{
    size_t n = 0;
    for (; n < max && n < LOG_RECENT_LINES && n < the_ring.count; n++)
        out[n] = the_ring.lines[(the_ring.count - 1 - n) % LOG_RECENT_LINES];
    return n;
}
