/* options.h: what the subcommands have in common: how they are called, complain and end.
 *
 * Every complaint is one line, "firehose-replay: serve: …". Exit codes: 0 done, 1 failed, 2 called wrongly. */
#ifndef FIREHOSE_REPLAY_OPTIONS_H
#define FIREHOSE_REPLAY_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *summary; /* one line, for the list */
    const char *usage;   /* what stands behind "usage: firehose-replay " */
    const char *help;    /* its options */
    int (*run)(int argc, char **argv);
};

/* The subcommands; each stands in the file of its name. */
extern const struct command serve_command, record_command, generate_command, inspect_command;

/* One line on stderr, written at once. */
void say(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, and a hint at --help; ends the program with EXIT_USAGE. */
void usage_error(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* getopt_long() that complains in our way. Answers --help ('h') itself. Returns -1 after the last option. */
int option_next(const struct command *command, int argc, char **argv, const struct option *longs);
#define OPTION_HELP {"help", no_argument, NULL, 'h'}
#define OPTION_END  {NULL, 0, NULL, 0}

/* A whole decimal number within bounds, or usage_error(). */
uint64_t option_number(const struct command *command, const char *name, const char *text, uint64_t min,
                       uint64_t max);

/* A decimal number above 0, with or without a fraction, or usage_error(). */
double option_rate(const struct command *command, const char *name, const char *text);

/* "AFTER": reads digits only; false for anything else (a sign, a blank, nothing, too large). */
bool parse_number(const char *text, uint64_t *value);

#endif
