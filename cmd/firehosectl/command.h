/* command.h: the table of commands (commands.c), and the verbs that commands share. Each command has one row: help,
 * completion and the check of options come from it. */
#ifndef FIREHOSED_CMD_COMMAND_H
#define FIREHOSED_CMD_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "client.h"

/* 1: the daemon refused; 3: no daemon listens; 4: the daemon does not answer; 64: wrong usage, as in sysexits(3). */
enum { EXIT_REFUSED = 1, EXIT_ABSENT = 3, EXIT_SILENT = 4, EXIT_USAGE = 64 };

struct command;

/* The command line of firehosectl. */
struct invocation {
    const struct command *command;
    const char *socket;
    int argc; /* arguments after the command's name, without options */
    char **argv;
    bool as_json;
    bool yes;               /* --yes */
    const char *collection; /* --collection, or NULL */
    const char *did;        /* --did, or NULL */
    const char *count;      /* -n, or NULL */
};

typedef int command_run(const struct invocation *in); /* returns the exit status */

struct command {
    const char *name;      /* NULL ends the table */
    const char *arguments; /* as the usage shows them, "" for none */
    const char *options;   /* letters of the options that only some commands take: y, c, d, n */
    const char *words;     /* completes the first argument: "a b c"; "KEY": the keys of the configuration */
    int min, max;          /* number of arguments */
    command_run *run;
    const char *help; /* a phrase without a subject */
};

extern const struct command command_table[];

/* ---- for the commands ---- */

/* Connects, or ends the program with a message. */
struct client *command_open(const struct invocation *in);

/* Sends the request and returns the result, or ends the program with a message. Takes over args. timeout_s limits the
 * silence of the daemon (0: no limit): a slow command reports once a second what it waits for, and a terminal shows
 * that. */
json_t *command_ask(const struct invocation *in, const char *request, json_t *args, int timeout_s);

/* Prints the reason of a failure. Returns the exit status for it. */
int command_fail(enum client_result result, const struct error *why);

/* Prints the result as JSON (--json), or calls `show` to print it for people. Frees it and returns EXIT_SUCCESS. */
int command_show(const struct invocation *in, json_t *result, void (*show)(const json_t *result));

/* Prints a message about wrong usage, in one line with the command's usage. Returns EXIT_USAGE. */
int command_usage(const struct invocation *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Parses a whole decimal number. Returns false if the text is not one, or if it is not from min to max. */
bool command_number(const char *text, json_int_t min, json_int_t max, json_int_t *number);

#endif
