/* settings.h: "key = value" configuration driven by a table.
 *
 * One table row describes a key completely: the parser, the range checks, the environment, --help, the sample
 * file and the manual's list all come from it. The values land in a struct of the table's owner, at `offset`. */
#ifndef FIREHOSED_BASE_SETTINGS_H
#define FIREHOSED_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum setting_type {
    SETTING_TEXT,     /* char *, owned by the struct */
    SETTING_NUMBER,   /* int64_t */
    SETTING_AUTO,     /* int64_t: a number, or "auto" (0) */
    SETTING_BYTES,    /* int64_t: 65536, 64K, 16M, 1G */
    SETTING_DURATION, /* int64_t, milliseconds: 500ms, 30s, 2m, 1h; a bare number is seconds */
    SETTING_CHOICE,   /* int: index in choices */
    SETTING_FLAG,     /* bool: yes/no, true/false, on/off, 1/0 */
};

struct setting {
    const char *name;
    enum setting_type type;
    size_t offset;
    const char *fallback; /* the default, as it would stand in the file */
    int64_t min, max;     /* of numbers, bytes, milliseconds; of a text's length */
    const char *const *choices;
    bool reloadable; /* takes effect on SIGHUP; else only at start */
    const char *environment; /* variable that wins over the file, or NULL */
    const char *help;        /* one sentence */
};

/* Where a value came from, for messages about it. */
struct setting_origin {
    int line;              /* in the file; 0: not from the file */
    bool from_environment;
    bool from_operator; /* set while it runs, over all others, until it is read anew */
};

/* Every function below takes the table (rows terminated by a NULL name), the struct its offsets point into, and
 * an array of one origin a row. */

/* Sets all values to their defaults. The struct must be zeroed or set before. False: no memory. */
bool settings_defaults(const struct setting *table, void *values, struct setting_origin *origins);

/* Reads the file over what is there. False: *why begins with "file:line: ". An unknown or repeated key, a bad
 * value, or a file that cannot be read is an error. */
bool settings_read_file(const struct setting *table, void *values, struct setting_origin *origins,
                        const char *path, struct error *why);

/* Reads text in memory as if it were a file called `path`. The text need not be terminated. */
bool settings_read_text(const struct setting *table, void *values, struct setting_origin *origins,
                        const char *path, const char *text, size_t len, struct error *why);

/* Applies the environment variables that the table names; empty ones are ignored. */
bool settings_read_environment(const struct setting *table, void *values, struct setting_origin *origins,
                               struct error *why);

/* Index of the row with this name, or -1. */
int settings_find(const struct setting *table, const char *name);

/* The value as it would stand in the file. Returns `out`. */
const char *settings_format(const struct setting *row, const void *values, char *out, size_t out_bytes);

/* True if both structs have the same value for the row. */
bool settings_equal(const struct setting *row, const void *a, const void *b);

/* Frees the texts. */
void settings_free(const struct setting *table, void *values);

/* Writes a sample file: every key commented out with its default, help and range. */
void settings_write_sample(const struct setting *table, FILE *out);

/* Writes the same as the key list of a manual page (man(7) macros). */
void settings_write_manual(const struct setting *table, FILE *out);

#endif
