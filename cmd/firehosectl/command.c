/* command.c: asks the daemon, and shows the answer or fails, for all commands. */
#include "config.h"

#include "command.h"
#include "show.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json_text.h"

int command_fail(enum client_result result, const struct error *why)
{
    fprintf(stderr, "firehosectl: %s\n", why->text);
    return result == CLIENT_ABSENT ? EXIT_ABSENT : result == CLIENT_SILENT ? EXIT_SILENT : EXIT_REFUSED;
}

struct client *command_open(const struct invocation *in)
{
    struct error why;
    enum client_result result;
    struct client *client = client_open(in->socket, &result, &why);
    if (client == NULL)
        exit(command_fail(result, &why));
    return client;
}

/* Shows "waiting for the reload to take effect (214 frames in flight) …" on one line of a terminal. Returns true if it
 * did. */
static bool show_progress(const json_t *item)
{
    const char *what = json_string_value(json_object_get(item, "waiting_for"));
    if (what == NULL || !isatty(STDERR_FILENO))
        return false;
    fprintf(stderr, "\r\033[Kwaiting for %s (%lld frames in flight) …", what,
            (long long)json_integer_value(json_object_get(item, "in_flight")));
    return true;
}

json_t *command_ask(const struct invocation *in, const char *request, json_t *args, int timeout_s)
{
    struct error why;
    json_t *answer = NULL, *item;
    bool is_shown = false;
    struct client *client = command_open(in);
    client_set_timeout(client, timeout_s);
    enum client_result result = client_send(client, request, args, &why);
    while (result == CLIENT_OK && answer == NULL) {
        result = client_receive(client, &item, &answer, &why);
        is_shown = show_progress(item) || is_shown;
        json_decref(item);
    }
    client_close(client);
    if (is_shown)
        fputs("\r\033[K", stderr);
    if (result != CLIENT_OK)
        exit(command_fail(result, &why));
    return answer;
}

int command_show(const struct invocation *in, json_t *result, void (*show)(const json_t *result))
{
    if (in->as_json) {
        json_dumpf(result, stdout, JSON_INDENT(2) | JSON_NUMBERS);
        putchar('\n');
    } else {
        show_clean(result);
        show(result);
    }
    json_decref(result);
    return EXIT_SUCCESS;
}

int command_usage(const struct invocation *in, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("firehosectl: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    if (in->command != NULL)
        fprintf(stderr, "; usage: firehosectl %s%s%s\n", in->command->name,
                in->command->arguments[0] != '\0' ? " " : "", in->command->arguments);
    else
        fputs("; firehosectl -h lists the commands\n", stderr);
    return EXIT_USAGE;
}

bool command_number(const char *text, json_int_t min, json_int_t max, json_int_t *number)
{
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *number >= min && *number <= max;
}
