#include "config.h"

#include "show.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static void clean_string(json_t *string)
{
    size_t len = json_string_length(string);
    char *clean = malloc(len + 1);
    if (clean == NULL || text_copy(clean, len + 1, json_string_value(string), len) != len ||
        json_string_setn(string, clean, len) < 0)
        json_string_set(string, ""); /* memory is short: nothing is better than the raw text */
    free(clean);
}

void show_clean(json_t *value)
{
    const char *key;
    json_t *child;
    size_t i;
    if (json_is_string(value))
        clean_string(value);
    json_array_foreach(value, i, child) show_clean(child);
    json_object_foreach(value, key, child) show_clean(child);
}

const char *member_text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

json_int_t member_number(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    return json_is_real(number) ? (json_int_t)json_real_value(number) : json_integer_value(number);
}

double member_real(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

bool member_flag(const json_t *object, const char *key) { return json_is_true(json_object_get(object, key)); }

static bool has_colour(void)
{
    static int known = -1;
    if (known < 0) {
        const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
        known = isatty(STDOUT_FILENO) && (none == NULL || none[0] == '\0') && term != NULL && term[0] != '\0' &&
                strncmp(term, "du", 2) != 0; /* dumb */
    }
    return known;
}

const char *colour_on(enum colour c)
{
    static const char *const codes[] = {
        [PLAIN] = "", [GOOD] = "\033[32m", [WARNING] = "\033[33m", [BAD] = "\033[31m", [FAINT] = "\033[2m"};
    return has_colour() ? codes[c] : "";
}

const char *colour_off(void) { return has_colour() ? "\033[0m" : ""; }

enum colour state_colour(const char *state)
{
    static const char *const good[] = {"running", "up", "ready"};
    static const char *const bad[] = {"gone", "dying", "offline", "backoff"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (strcmp(state, good[i]) == 0)
            return GOOD;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (strcmp(state, bad[i]) == 0)
            return BAD;
    return WARNING;
}

enum colour lag_colour(double seconds) { return seconds < 5 ? GOOD : seconds < 60 ? WARNING : BAD; }
