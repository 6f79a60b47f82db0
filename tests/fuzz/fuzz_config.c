/* The configuration file. The input is one.
 *
 * It is taken or refused with file and line; what it sets is within its range; and each value, written as a
 * file would hold it, is read back as the same. */
#include "config.h"

#include <string.h>

#include "base/config.h"
#include "fuzz.h"

static void check_range(const struct setting *row, const struct config *c)
{
    const void *value = (const char *)c + row->offset;
    switch (row->type) {
    case SETTING_TEXT:
        must(*(char *const *)value != NULL);
        break;
    case SETTING_CHOICE: {
        int n = 0;
        while (row->choices[n] != NULL)
            n++;
        must(*(const int *)value >= 0 && *(const int *)value < n);
        break;
    }
    case SETTING_FLAG:
        break;
    default: {
        int64_t v = *(const int64_t *)value;
        must((v >= row->min && v <= row->max) || (row->type == SETTING_AUTO && v == 0), "%s", row->name);
    }
    }
}

/* Quoted, as one would write it; a value with a quote or behind a comment sign has no such form. */
static void check_again(const struct setting *row, const struct config *c, struct config *again)
{
    char line[8192], value[4200];
    static struct error_list wrong;
    static struct setting_origin origins[CONFIG_ROWS];
    settings_format(row, c, value, sizeof value);
    if (strchr(value, '"') != NULL)
        return;
    memset(origins, 0, sizeof origins);
    int n = snprintf(line, sizeof line, "%s = \"%s\"\n", row->name, value);
    if (n > 4000)
        return; /* longer than a line may be, with the quotes */
    settings_read_text(config_table, again, origins, "again", line, (size_t)n, &wrong);
    must(wrong.count == 0, "%s", wrong.errors[0].text);
    must(settings_equal(row, c, again), "%s = %s", row->name, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config values, again;
    static bool is_ready;
    static struct error_list wrong;
    if (!is_ready)
        is_ready = settings_defaults(config_table, &again, again.origins);
    must(settings_defaults(config_table, &values, values.origins));
    wrong.count = 0;
    settings_read_text(config_table, &values, values.origins, "file", (const char *)data, size, &wrong);
    for (unsigned i = 0; i < wrong.count && i < ERROR_LIST_MAX; i++) {
        const char *text = wrong.errors[i].text;
        must(strncmp(text, "file:", 5) == 0 && text[5] >= '1' && text[5] <= '9', "'%s'", text);
    }
    if (wrong.count > 0)
        return 0;
    for (const struct setting *row = config_table; row->name != NULL; row++)
        if (values.origins[row - config_table].line > 0) {
            check_range(row, &values);
            check_again(row, &values, &again);
        }
    return 0;
}
