#include "config.h"

#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

__attribute__((format(printf, 2, 0))) static void say_list(const struct command *command, const char *format,
                                                           va_list args)
{
    /* With a single write, lines of several processes do not mix. */
    char line[ERROR_TEXT_BYTES + 128];
    int n = snprintf(line, sizeof line, "firehose-replay: %s: ", command->name);
    int more = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
    size_t len = more > 0 ? (size_t)(n + more) : (size_t)n;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    line[len++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, len);
    (void)ignored;
}

void say(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_list(command, format, args);
    va_end(args);
}

void usage_error(const struct command *command, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(command, "%s (see firehose-replay %s --help)", text, command->name);
    exit(EXIT_USAGE);
}

static void print_help(const struct command *command)
{
    printf("usage: firehose-replay %s\n\n%s\n%s", command->usage, command->summary, command->help);
}

int option_next(const struct command *command, int argc, char **argv, const struct option *longs)
{
    int asked = optind > 0 ? optind : 1;
    opterr = 0;
    int c = getopt_long(argc, argv, ":h", longs, NULL);
    if (c == 'h') {
        print_help(command);
        exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED);
    }
    const char *text = argv[optind > asked ? optind - 1 : asked];
    if (c == ':')
        usage_error(command, "%s needs a value", text);
    if (c == '?')
        usage_error(command, "%s is not an option, or stands for several", text);
    return c;
}

bool parse_number(const char *text, uint64_t *value)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

uint64_t option_number(const struct command *command, const char *name, const char *text, uint64_t min,
                       uint64_t max)
{
    uint64_t value;
    if (!parse_number(text, &value) || value < min || value > max)
        usage_error(command, "%s %s: expected a number from %" PRIu64 " to %" PRIu64, name, text, min, max);
    return value;
}

double option_rate(const struct command *command, const char *name, const char *text)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !(value > 0) || value > 1e9)
        usage_error(command, "%s %s: expected a number above 0", name, text);
    return value;
}
