/* setting.h: one key of a configuration: a row of the table that describes it, and the place that a value came from.
 *
 * A row describes its key completely: the parser, the range checks, the environment, --help, the sample file and the
 * list in the manual all come from it. The values lie in a struct of the table's owner, at `offset`. */
#ifndef FIREHOSED_BASE_SETTING_H
#define FIREHOSED_BASE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
    SETTING_TEXT,     /* char *, owned by the struct */
    SETTING_NUMBER,   /* int64_t */
    SETTING_AUTO,     /* int64_t: a number, or "auto" (0) */
    SETTING_BYTES,    /* int64_t: 65536, 64K, 16M, 1G */
    SETTING_DURATION, /* int64_t, milliseconds: 500ms, 30s, 2m, 1h; a bare number is seconds */
    SETTING_CHOICE,   /* int: index in choices */
    SETTING_FLAG,     /* bool: yes/no, true/false, on/off, 1/0 */
};

/* A table is an array of rows that ends with a NULL name. */
struct setting {
    const char *name;
    enum setting_type type;
    size_t offset;
    const char *fallback; /* the default, as the file would give it */
    int64_t min, max;     /* of a number, of bytes, of milliseconds, of a text's length */
    const char *const *choices; /* each one a name, and after a '|' words that are accepted for it */
    bool reloadable;         /* true: a change takes effect on SIGHUP; false: only at start */
    const char *alias;       /* a variable of the replaced services that sets the key, too, or NULL */
    const char *help;        /* one sentence */
};

/* Where a value came from, for messages about it. All members zero: it is the default. */
struct setting_origin {
    int line; /* in the file; 0: the value is not from the file */
    bool from_environment; /* from the key's own variable (setting_variable()) */
    bool from_alias;       /* from the variable that is the row's alias */
    bool from_operator; /* set over the control socket; overrides the others until the next reload */
};

#endif
