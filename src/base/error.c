#include "config.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_text.h"

void error_set(struct error *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    utf8_repair(e->text);
}

void error_context(struct error *e, const char *format, ...)
{
    char front[ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(front, sizeof front, format, args);
    va_end(args);

    size_t front_len = strlen(front);
    if (front_len + 2 >= sizeof e->text)
        return; /* keep the reason: it is worth more than its context */
    size_t room = sizeof e->text - front_len - 2;
    size_t keep = strnlen(e->text, room - 1);
    memmove(e->text + front_len + 2, e->text, keep);
    e->text[front_len + 2 + keep] = '\0';
    memcpy(e->text, front, front_len);
    memcpy(e->text + front_len, ": ", 2);
    utf8_repair(e->text);
}
