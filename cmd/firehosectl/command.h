/* command.h: what firehosectl can do: the table (commands.c), and what a command is run with. One row a command: the
 * help, the completion and the options that it takes come from it. */
#ifndef FIREHOSED_CMD_COMMAND_H
#define FIREHOSED_CMD_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "client.h"

/* 1: the daemon said no; 3: no daemon there; 4: it does not answer; 64: wrong usage, as in sysexits(3). */
enum { EXIT_REFUSED = 1, EXIT_ABSENT = 3, EXIT_SILENT = 4, EXIT_USAGE = 64 };

struct command;

/* How firehosectl was called. */
struct invocation {
    const struct command *command;
    const char *socket;
    int argc;    /* of what stands behind the command's name, without options */
    char **argv;
    bool as_json;
    bool yes;               /* --yes */
    const char *collection; /* --collection; NULL: not given */
    const char *did;        /* --did */
    const char *count;      /* -n */
};

typedef int command_run(const struct invocation *in); /* the exit status */

struct command {
    const char *name;      /* NULL: end */
    const char *arguments; /* as the usage shows them, "" for none */
    const char *options;   /* the letters of those that only some commands take: y, c, d, n */
    const char *words;     /* what the first argument may be, for completion: "a b c"; "KEY": of the configuration */
    int min, max;          /* how many arguments */
    command_run *run;
    const char *help; /* half a sentence */
};

extern const struct command command_table[];

/* ---- for the commands ---- */

/* Connects, or ends the program with a message. */
struct client *command_open(const struct invocation *in);

/* Asks and returns the result, or ends the program with a message. args is taken over. timeout_s: how long nothing at
 * all may come; what takes longer says once a second what it waits for, which is shown on a terminal. 0: for ever. */
json_t *command_ask(const struct invocation *in, const char *request, json_t *args, int timeout_s);

/* Says why it did not work; the exit status that goes with it. */
int command_fail(enum client_result result, const struct error *why);

/* Prints the result as JSON (--json), or has `show` print it for people. Frees it; returns EXIT_SUCCESS. */
int command_show(const struct invocation *in, json_t *result, void (*show)(const json_t *result));

/* Prints a message about wrong usage; returns EXIT_USAGE. */
int command_usage(const struct invocation *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A whole decimal number from min to max; false: it is none. */
bool command_number(const char *text, json_int_t min, json_int_t max, json_int_t *number);

#endif
