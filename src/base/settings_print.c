#include "config.h"

#include "base/settings_print.h"

#include <inttypes.h>
#include <string.h>

static const char *format_bytes(int64_t n, char *out, size_t out_bytes)
{
    static const struct {
        int64_t unit;
        char letter;
    } units[] = {{1 << 30, 'G'}, {1 << 20, 'M'}, {1 << 10, 'K'}};
    for (size_t i = 0; i < 3; i++)
        if (n >= units[i].unit && n % units[i].unit == 0) {
            snprintf(out, out_bytes, "%" PRId64 "%c", n / units[i].unit, units[i].letter);
            return out;
        }
    snprintf(out, out_bytes, "%" PRId64, n);
    return out;
}

static const char *format_duration(int64_t ms, char *out, size_t out_bytes)
{
    if (ms % 3600000 == 0 && ms > 0)
        snprintf(out, out_bytes, "%" PRId64 "h", ms / 3600000);
    else if (ms % 60000 == 0 && ms > 0)
        snprintf(out, out_bytes, "%" PRId64 "m", ms / 60000);
    else if (ms % 1000 == 0)
        snprintf(out, out_bytes, "%" PRId64 "s", ms / 1000);
    else
        snprintf(out, out_bytes, "%" PRId64 "ms", ms);
    return out;
}

static const char *format_integer(const struct setting *row, int64_t n, char *out, size_t out_bytes)
{
    if (row->type == SETTING_BYTES)
        return format_bytes(n, out, out_bytes);
    if (row->type == SETTING_DURATION)
        return format_duration(n, out, out_bytes);
    if (row->type == SETTING_AUTO && n == 0)
        snprintf(out, out_bytes, "auto");
    else
        snprintf(out, out_bytes, "%" PRId64, n);
    return out;
}

/* The length of a choice's name, without the words that are accepted beside it. */
static int name_len(const char *choice) { return (int)strcspn(choice, "|"); }

const char *settings_format(const struct setting *row, const void *values, char *out, size_t out_bytes)
{
    const void *value = (const char *)values + row->offset;
    switch (row->type) {
    case SETTING_TEXT:
        snprintf(out, out_bytes, "%s", *(char *const *)value);
        return out;
    case SETTING_CHOICE:
        snprintf(out, out_bytes, "%.*s", name_len(row->choices[*(const int *)value]),
                 row->choices[*(const int *)value]);
        return out;
    case SETTING_FLAG:
        snprintf(out, out_bytes, "%s", *(const bool *)value ? "yes" : "no");
        return out;
    default:
        return format_integer(row, *(const int64_t *)value, out, out_bytes);
    }
}

const char *setting_expected(const struct setting *row, char *out, size_t out_bytes)
{
    char low[32], high[32];
    format_integer(row, row->min, low, sizeof low);
    format_integer(row, row->max, high, sizeof high);
    switch (row->type) {
    case SETTING_TEXT:
        if (row->max > 0)
            snprintf(out, out_bytes, "text of %d to %d bytes", (int)row->min, (int)row->max);
        else
            snprintf(out, out_bytes, "text of at least %d bytes", (int)row->min);
        break;
    case SETTING_FLAG:
        snprintf(out, out_bytes, "yes or no");
        break;
    case SETTING_CHOICE: {
        size_t n = (size_t)snprintf(out, out_bytes, "one of:");
        for (int i = 0; row->choices[i] != NULL && n < out_bytes; i++)
            n += (size_t)snprintf(out + n, out_bytes - n, "%s %.*s", i > 0 ? "," : "",
                                  name_len(row->choices[i]), row->choices[i]);
        break;
    }
    case SETTING_AUTO:
        snprintf(out, out_bytes, "auto, or a number from %s to %s", low, high);
        break;
    case SETTING_BYTES:
        snprintf(out, out_bytes, "a size from %s to %s, such as 64K or 16M", low, high);
        break;
    case SETTING_DURATION:
        snprintf(out, out_bytes, "a time from %s to %s, such as 500ms, 30s or 2m", low, high);
        break;
    case SETTING_NUMBER:
        snprintf(out, out_bytes, "a number from %s to %s", low, high);
        break;
    }
    return out;
}

/* Returns the Levenshtein distance of two short names. A name longer than `row` is far from every other. */
static int distance(const char *a, const char *b)
{
    enum { MAX = 40 };
    int row[MAX + 1];
    int len_a = (int)strnlen(a, MAX + 1), len_b = (int)strnlen(b, MAX + 1);
    if (len_a > MAX || len_b > MAX)
        return MAX;
    for (int j = 0; j <= len_b; j++)
        row[j] = j;
    for (int i = 1; i <= len_a; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= len_b; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            int shorter = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = change < shorter + 1 ? change : shorter + 1;
        }
    }
    return row[len_b];
}

const char *setting_nearest(const struct setting *table, const char *name)
{
    enum { FAR = 4 };
    const char *best = NULL;
    int best_distance = FAR;
    for (int i = 0; table[i].name != NULL; i++) {
        int d = distance(table[i].name, name);
        if (d < best_distance) {
            best_distance = d;
            best = table[i].name;
        }
    }
    return best;
}

/* Writes a sentence as comment lines of at most 78 columns. */
static void write_comment(FILE *out, const char *text)
{
    enum { WIDTH = 76 };
    while (*text != '\0') {
        size_t n = strlen(text);
        if (n > WIDTH) {
            n = WIDTH;
            while (n > 0 && text[n] != ' ')
                n--;
            if (n == 0)
                n = WIDTH;
        }
        fprintf(out, "# %.*s\n", (int)n, text);
        text += n;
        while (*text == ' ')
            text++;
    }
}

void settings_write_sample(const struct setting *table, FILE *out)
{
    for (const struct setting *row = table; row->name != NULL; row++) {
        char expected[256], line[512];
        write_comment(out, row->help);
        snprintf(line, sizeof line, "(%s%s%s%s)", setting_expected(row, expected, sizeof expected),
                 row->reloadable ? "; SIGHUP applies it" : "; needs a restart",
                 row->alias != NULL ? "; environment: " : "",
                 row->alias != NULL ? row->alias : "");
        write_comment(out, line);
        fprintf(out, "#%s = %s\n\n", row->name, row->fallback);
    }
}

/* Escapes text for a manual page: the formatter takes a backslash as a command, and turns '-' into a hyphen. */
static void write_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
}

void settings_write_manual(const struct setting *table, FILE *out)
{
    for (const struct setting *row = table; row->name != NULL; row++) {
        char expected[256];
        fprintf(out, ".TP\n.B %s\n", row->name);
        write_escaped(out, row->help);
        fputs("\n.br\nDefault: ", out);
        if (row->fallback[0] != '\0')
            fputs("\\fI", out);
        write_escaped(out, row->fallback[0] != '\0' ? row->fallback : "empty");
        fputs("\\fR; ", out);
        write_escaped(out, setting_expected(row, expected, sizeof expected));
        fputs(row->reloadable ? "; applied by SIGHUP" : "; needs a restart", out);
        if (row->alias != NULL)
            fprintf(out, "; environment variable \\fB%s\\fR", row->alias);
        fputs(".\n", out);
    }
}
