/* options.h: options, messages and exit codes of the subcommands.
 *
 * Every message is one line, "firehose-replay: serve: …". Exit codes: 0 done, 1 failed, 64 wrong usage,
 * as in sysexits(3). */
#ifndef FIREHOSE_REPLAY_OPTIONS_H
#define FIREHOSE_REPLAY_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 64 };

struct command {
    const char *name;
    const char *summary; /* one line, for the list of subcommands */
    const char *usage;   /* follows "usage: firehose-replay " */
    const char *help;    /* the options */
    int (*run)(int argc, char **argv);
};

/* The subcommands, each in the file of its name. */
extern const struct command serve_command, record_command, generate_command, inspect_command;

/* Writes one line to stderr, with one write(2). */
void say(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes one line with a hint at --help, and ends the program with EXIT_USAGE. */
void usage_error(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Calls getopt_long(). Ends the program after --help ('h'), and with usage_error() for a wrong option. Returns -1 after
 * the last option. */
int option_next(const struct command *command, int argc, char **argv, const struct option *longs);
#define OPTION_HELP {"help", no_argument, NULL, 'h'}
#define OPTION_END  {NULL, 0, NULL, 0}

/* Parses a whole decimal number within bounds, or calls usage_error(). */
uint64_t option_number(const struct command *command, const char *name, const char *text, uint64_t min,
                       uint64_t max);

/* Parses a decimal number above 0, with or without a fraction, or calls usage_error(). */
double option_rate(const struct command *command, const char *name, const char *text);

/* Parses a number of digits only. Returns false for any other text (a sign, a blank, "") and if the number is too
 * large. */
bool parse_number(const char *text, uint64_t *value);

#endif
