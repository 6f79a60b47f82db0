/* settings.h: reads "key = value" configuration, driven by a table (setting.h), and compares values.
 *
 * Functions take the table, the struct that the table's offsets point into, and an array with one origin for each row.
 * Those that read add all errors to the list, leave the values of wrong keys alone, and go on. */
#ifndef FIREHOSED_BASE_SETTINGS_H
#define FIREHOSED_BASE_SETTINGS_H

#include "base/error.h"
#include "base/setting.h"

enum { SETTING_VARIABLE_BYTES = 64 };

/* Sets all values to their defaults. The struct must be zeroed or set before. Returns false if memory is short. */
bool settings_defaults(const struct setting *table, void *values, struct setting_origin *origins);

/* Reads the file over the present values. An unknown or repeated key, a bad value and an unreadable file are errors,
 * which begin with "file:line: ". */
void settings_read_file(const struct setting *table, void *values, struct setting_origin *origins,
                        const char *path, struct error_list *wrong);

/* Reads `len` bytes of text as if they were a file called `path`. The text need not be terminated. */
void settings_read_text(const struct setting *table, void *values, struct setting_origin *origins,
                        const char *path, const char *text, size_t len, struct error_list *wrong);

/* Applies the environment: for each row its alias, and over that its own variable. An empty own variable is an empty
 * value; an empty alias is ignored. A variable with the prefix of own variables that belongs to no row is an error. */
void settings_read_environment(const struct setting *table, void *values, struct setting_origin *origins,
                               struct error_list *wrong);

/* Writes the name of the key's own variable: FIREHOSED_ and the key in upper case. Returns `out`. */
const char *setting_variable(const struct setting *row, char out[SETTING_VARIABLE_BYTES]);

/* Returns the index of the row with this name, or -1. */
int settings_find(const struct setting *table, const char *name);

/* Returns the index of the choice of the row that the text names, by any of its words in any case; -1: of none. */
int setting_choice(const struct setting *row, const char *text);

/* Returns true if both structs have the same value for the row. */
bool settings_equal(const struct setting *row, const void *a, const void *b);

/* Frees the texts in the struct. */
void settings_free(const struct setting *table, void *values);

#endif
