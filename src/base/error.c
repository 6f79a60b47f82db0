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

void error_list_add(struct error_list *list, const struct error *e)
{
    if (list->count < ERROR_LIST_MAX)
        list->errors[list->count] = *e;
    list->count++;
}

void error_list_first(const struct error_list *list, struct error *e)
{
    *e = list->errors[0];
    if (list->count > 1)
        error_context(e, "%u errors, the first one", list->count);
}
