#include "config.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void error_set(struct error *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vformat(e->text, sizeof e->text, format, args);
    va_end(args);
}

void error_context(struct error *e, const char *format, ...)
{
    char front[ERROR_TEXT_BYTES];
    struct error reason = *e;
    va_list args;
    va_start(args, format);
    vsnprintf(front, sizeof front, format, args);
    va_end(args);
    if (strlen(front) + 2 < sizeof e->text) /* else keep the reason: it is worth more than its context */
        text_format(e->text, sizeof e->text, "%s: %s", front, reason.text);
}
