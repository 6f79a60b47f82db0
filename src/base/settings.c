#include "config.h"

#include "base/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/settings_print.h"

enum { FILE_MAX_BYTES = 1 << 20, VALUE_MAX_BYTES = 4096 };

static void *field(const struct setting *row, void *values) { return (char *)values + row->offset; }

static bool set_text(const struct setting *row, void *values, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return false;
    char **where = field(row, values);
    free(*where);
    *where = copy;
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* Parses digits and an optional unit. Returns false for any other text, or if the value does not fit int64_t. */
static bool parse_with_unit(const char *text, const struct unit *units, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || errno != 0 || !isdigit((unsigned char)text[0]))
        return false;
    while (*end == ' ')
        end++;
    for (const struct unit *u = units; u->name != NULL; u++)
        if (strcasecmp(end, u->name) == 0)
            return !__builtin_mul_overflow((int64_t)number, u->factor, value);
    return false;
}

static const struct unit plain_units[] = {{"", 1}, {NULL, 0}};
static const struct unit byte_units[] = {{"", 1},          {"k", 1 << 10}, {"kb", 1 << 10}, {"m", 1 << 20},
                                         {"mb", 1 << 20},  {"g", 1 << 30}, {"gb", 1 << 30}, {NULL, 0}};
static const struct unit duration_units[] = {{"", 1000},  {"ms", 1},       {"s", 1000},
                                             {"m", 60000}, {"h", 3600000}, {NULL, 0}};

static bool parse_flag(const char *text, bool *value)
{
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false", "off", "0"};
    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(text, yes[i]) == 0)
            return *value = true;
        if (strcasecmp(text, no[i]) == 0)
            return *value = false, true;
    }
    return false;
}

/* Returns true if the text is one of the words that '|' separates. */
static bool is_among(const char *text, const char *words)
{
    for (size_t len = strlen(text), n; *words != '\0'; words += n + (words[n] == '|')) {
        n = strcspn(words, "|");
        if (n == len && strncasecmp(text, words, n) == 0)
            return true;
    }
    return false;
}

int setting_choice(const struct setting *row, const char *text)
{
    for (int i = 0; row->choices[i] != NULL; i++)
        if (is_among(text, row->choices[i]))
            return i;
    return -1;
}

static bool parse_choice(const struct setting *row, const char *text, int *value)
{
    int i = setting_choice(row, text);
    return i >= 0 ? (*value = i, true) : false;
}

static bool parse_integer(const struct setting *row, const char *text, int64_t *value)
{
    switch (row->type) {
    case SETTING_AUTO:
        if (strcasecmp(text, "auto") == 0)
            return *value = 0, true;
        return parse_with_unit(text, plain_units, value);
    case SETTING_BYTES:
        return parse_with_unit(text, byte_units, value);
    case SETTING_DURATION:
        return parse_with_unit(text, duration_units, value);
    default:
        return parse_with_unit(text, plain_units, value);
    }
}

/* Writes the start of a value for a message, with the password of a URL as "***": a reload puts the message into the
 * log. Returns `out`. */
static const char *shown(const char *text, char *out, size_t out_bytes)
{
    const char *scheme = strstr(text, "://");
    const char *at = scheme != NULL ? strrchr(scheme, '@') : NULL;
    if (at != NULL)
        snprintf(out, out_bytes, "%.*s***%s", (int)(scheme + 3 - text), text, at);
    else
        snprintf(out, out_bytes, "%s", text);
    return out;
}

/* Sets one value from its text. On failure *why is "key: what is wrong, what is expected". */
static bool set_value(const struct setting *row, void *values, const char *text, struct error *why)
{
    char expected[256];
    bool ok = false;
    switch (row->type) {
    case SETTING_TEXT: {
        size_t len = strlen(text);
        ok = (int64_t)len >= row->min && (row->max == 0 || (int64_t)len <= row->max);
        if (ok && !set_text(row, values, text)) {
            error_set(why, "%s: out of memory", row->name);
            return false;
        }
        break;
    }
    case SETTING_FLAG:
        ok = parse_flag(text, field(row, values));
        break;
    case SETTING_CHOICE:
        ok = parse_choice(row, text, field(row, values));
        break;
    default: {
        int64_t value;
        ok = parse_integer(row, text, &value) &&
             ((value >= row->min && value <= row->max) || (row->type == SETTING_AUTO && strcasecmp(text, "auto") == 0));
        if (ok)
            *(int64_t *)field(row, values) = value;
    }
    }
    char value[100];
    if (!ok)
        error_set(why, "%s: '%s' is not valid, expected %s", row->name, shown(text, value, sizeof value),
                  setting_expected(row, expected, sizeof expected));
    return ok;
}

bool settings_defaults(const struct setting *table, void *values, struct setting_origin *origins)
{
    for (int i = 0; table[i].name != NULL; i++) {
        struct error why;
        origins[i] = (struct setting_origin){0};
        if (!set_value(&table[i], values, table[i].fallback, &why))
            return false;
    }
    return true;
}

int settings_find(const struct setting *table, const char *name)
{
    for (int i = 0; table[i].name != NULL; i++)
        if (strcmp(table[i].name, name) == 0)
            return i;
    return -1;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

/* Takes off a comment, and quotes around the whole value. A '#' starts a comment only outside quotes, at the start of
 * the value or after white space, because URLs and passwords may contain one. */
static char *strip_comment_and_quotes(char *value, bool *unbalanced)
{
    *unbalanced = false;
    if (*value == '"') {
        char *close = strchr(value + 1, '"');
        char *rest = close == NULL ? NULL : trim(close + 1);
        *unbalanced = close == NULL || (*rest != '\0' && *rest != '#');
        if (close != NULL)
            *close = '\0';
        return value + 1;
    }
    for (char *p = value; *p != '\0'; p++)
        if (*p == '#' && (p == value || isspace((unsigned char)p[-1]))) {
            *p = '\0';
            break;
        }
    return trim(value);
}

static bool read_line(const struct setting *table, void *values, struct setting_origin *origins, char *line,
                      int number, struct error *why)
{
    char *text = trim(line);
    if (*text == '\0' || *text == '#')
        return true;
    char *equals = strchr(text, '=');
    char start[60];
    if (equals == NULL) {
        error_set(why, "no '=' in '%s', expected 'key = value'", shown(text, start, sizeof start));
        return false;
    }
    *equals = '\0';
    char *key = trim(text);
    bool unbalanced;
    char *value = strip_comment_and_quotes(trim(equals + 1), &unbalanced);
    int i = settings_find(table, key);
    if (i < 0) {
        const char *near = setting_nearest(table, key);
        error_set(why, "unknown key '%s'%s%s%s", shown(key, start, sizeof start),
                  near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                  near != NULL ? "'?" : ", see firehosed.conf(5) for the keys");
        return false;
    }
    if (unbalanced) {
        error_set(why, "%s: quotes do not match, expected \"value\" and nothing after it", key);
        return false;
    }
    if (origins[i].line > 0) {
        error_set(why, "%s: the key stands twice, first in line %d", key, origins[i].line);
        return false;
    }
    origins[i] = (struct setting_origin){.line = number};
    return set_value(&table[i], values, value, why);
}

static bool read_bytes(const struct setting *table, void *values, struct setting_origin *origins, const char *bytes,
                       size_t n, int number, struct error *why)
{
    char line[VALUE_MAX_BYTES];
    if (n >= sizeof line) {
        error_set(why, "the line has %zu bytes, expected at most %zu", n, sizeof line - 1);
        return false;
    }
    if (memchr(bytes, '\0', n) != NULL) {
        error_set(why, "the line has a NUL byte, expected text");
        return false;
    }
    memcpy(line, bytes, n);
    line[n] = '\0';
    return read_line(table, values, origins, line, number, why);
}

void settings_read_text(const struct setting *table, void *values, struct setting_origin *origins, const char *path,
                        const char *text, size_t len, struct error_list *wrong)
{
    int number = 1;
    for (size_t at = 0; at < len; number++) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t n = newline != NULL ? (size_t)(newline - text) - at : len - at;
        struct error why;
        if (!read_bytes(table, values, origins, text + at, n, number, &why)) {
            error_context(&why, "%s:%d", path, number);
            error_list_add(wrong, &why);
        }
        at += n + 1;
    }
}

void settings_read_file(const struct setting *table, void *values, struct setting_origin *origins, const char *path,
                        struct error_list *wrong)
{
    FILE *file = fopen(path, "re");
    struct buffer text;
    struct error why = {.text = ""};
    buffer_init(&text);
    for (size_t n = 1; file != NULL && n > 0 && text.len <= FILE_MAX_BYTES && buffer_reserve(&text, 4096);) {
        n = fread(text.data + text.len, 1, 4096, file);
        text.len += n;
    }
    if (file == NULL || ferror(file))
        error_set(&why, "%s: cannot be read: %s", path, strerror(errno));
    else if (text.failed)
        error_set(&why, "%s: out of memory", path);
    else if (text.len > FILE_MAX_BYTES)
        error_set(&why, "%s: the file is larger than 1 MB, expected a configuration file", path);
    else
        settings_read_text(table, values, origins, path, (char *)text.data, text.len, wrong);
    if (why.text[0] != '\0')
        error_list_add(wrong, &why);
    buffer_fini(&text);
    if (file != NULL)
        fclose(file);
}

/* ---- the environment ---- */

static const char prefix[] = "FIREHOSED_";
enum { PREFIX_LEN = sizeof prefix - 1 };

const char *setting_variable(const struct setting *row, char out[SETTING_VARIABLE_BYTES])
{
    int n = snprintf(out, SETTING_VARIABLE_BYTES, "%s%s", prefix, row->name);
    for (int i = PREFIX_LEN; i < n && i < SETTING_VARIABLE_BYTES; i++)
        out[i] = (char)toupper((unsigned char)out[i]);
    return out;
}

/* Returns true for the variables that a cluster sets in every container because one of its services is called
 * firehosed: FIREHOSED_SERVICE_HOST, FIREHOSED_SERVICE_PORT, FIREHOSED_PORT=tcp://…, FIREHOSED_PORT_9117_TCP and
 * others. */
static bool is_of_a_cluster(const char *name, const char *value)
{
    const char *port = strstr(name, "_PORT");
    if (strstr(name, "_SERVICE_HOST") != NULL || strstr(name, "_SERVICE_PORT") != NULL)
        return true;
    return port != NULL && (port[5] == '\0' ? strstr(value, "://") != NULL : isdigit((unsigned char)port[6]));
}

/* Says that a variable belongs to no row, and suggests the one that was meant. */
static void refuse_variable(const struct setting *table, const char *name, struct error *why)
{
    char key[SETTING_VARIABLE_BYTES], variable[SETTING_VARIABLE_BYTES];
    const struct setting *row = NULL;
    snprintf(key, sizeof key, "%.*s", (int)sizeof key - 1, name + PREFIX_LEN);
    for (int i = 0; table[i].name != NULL; i++)
        if (table[i].alias != NULL && strcmp(table[i].alias, key) == 0)
            row = &table[i];
    for (char *c = key; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *near = row == NULL ? setting_nearest(table, key) : NULL;
    if (near != NULL)
        row = &table[settings_find(table, near)];
    if (row == NULL)
        error_set(why, "unknown, see firehosed.conf(5) for the keys");
    else
        error_set(why, "unknown, did you mean %s%s%s?", near == NULL ? row->alias : "", near == NULL ? ", or " : "",
                  setting_variable(row, variable));
}

static bool is_own_variable(const struct setting *table, const char *name)
{
    char own[SETTING_VARIABLE_BYTES];
    for (int i = 0; table[i].name != NULL; i++)
        if (strcmp(name, setting_variable(&table[i], own)) == 0)
            return true;
    return false;
}

static void check_variables(const struct setting *table, struct error_list *wrong)
{
    struct error why;
    char name[256];
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        size_t len = strcspn(*at, "=");
        if (strncmp(*at, prefix, PREFIX_LEN) != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)len, *at);
        if (is_own_variable(table, name) || is_of_a_cluster(name, *at + len))
            continue;
        refuse_variable(table, name, &why);
        error_context(&why, "environment variable %.100s", name);
        error_list_add(wrong, &why);
    }
}

static void set_from(const struct setting *row, void *values, const char *variable, const char *value,
                     struct error_list *wrong)
{
    struct error why;
    if (set_value(row, values, value, &why))
        return;
    error_context(&why, "environment variable %s", variable);
    error_list_add(wrong, &why);
}

void settings_read_environment(const struct setting *table, void *values, struct setting_origin *origins,
                               struct error_list *wrong)
{
    check_variables(table, wrong);
    for (int i = 0; table[i].name != NULL; i++) {
        char variable[SETTING_VARIABLE_BYTES];
        const char *own = getenv(setting_variable(&table[i], variable));
        const char *alias = table[i].alias != NULL ? getenv(table[i].alias) : NULL;
        if (own != NULL) {
            origins[i] = (struct setting_origin){.from_environment = true};
            set_from(&table[i], values, variable, own, wrong);
        } else if (alias != NULL && *alias != '\0') {
            origins[i] = (struct setting_origin){.from_alias = true};
            set_from(&table[i], values, table[i].alias, alias, wrong);
        }
    }
}

bool settings_equal(const struct setting *row, const void *a, const void *b)
{
    const void *x = (const char *)a + row->offset, *y = (const char *)b + row->offset;
    switch (row->type) {
    case SETTING_TEXT:
        return strcmp(*(char *const *)x, *(char *const *)y) == 0;
    case SETTING_CHOICE:
        return *(const int *)x == *(const int *)y;
    case SETTING_FLAG:
        return *(const bool *)x == *(const bool *)y;
    default:
        return *(const int64_t *)x == *(const int64_t *)y;
    }
}

void settings_free(const struct setting *table, void *values)
{
    for (int i = 0; table[i].name != NULL; i++)
        if (table[i].type == SETTING_TEXT) {
            char **text = field(&table[i], values);
            free(*text);
            *text = NULL;
        }
}
