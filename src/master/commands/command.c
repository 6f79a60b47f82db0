#include "config.h"

#include "master/commands/command.h"

#include <inttypes.h>
#include <string.h>

static const struct command_argument *find_argument(const struct command *command, const char *name)
{
    for (const struct command_argument *a = command->arguments; a->name != NULL; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

static bool check_argument(const struct command_argument *a, const json_t *value, struct error *why)
{
    static const char *const expected[] = {"a text", "a whole number", "true or false"};
    bool fits = (a->type == ARGUMENT_TEXT && json_is_string(value)) ||
                (a->type == ARGUMENT_NUMBER && json_is_integer(value)) ||
                (a->type == ARGUMENT_FLAG && json_is_boolean(value));
    if (!fits) {
        error_set(why, "argument '%s': expected %s", a->name, expected[a->type]);
        return false;
    }
    if (a->type == ARGUMENT_NUMBER && a->max > a->min &&
        (json_integer_value(value) < a->min || json_integer_value(value) > a->max)) {
        error_set(why, "argument '%s': expected a number from %" PRId64 " to %" PRId64, a->name, a->min, a->max);
        return false;
    }
    return true;
}

bool command_check(const struct command *command, const json_t *given, struct error *why)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        const struct command_argument *a = find_argument(command, name);
        if (a == NULL)
            error_set(why, "%s has no argument '%.60s'", command->name, name);
        if (a == NULL || !check_argument(a, value, why))
            return false;
    }
    for (const struct command_argument *a = command->arguments; a->name != NULL; a++)
        if (a->is_required && json_object_get(given, a->name) == NULL) {
            error_set(why, "%s needs the argument '%s'", command->name, a->name);
            return false;
        }
    return true;
}

const char *command_text(const struct control_call *call, const char *name)
{
    return json_string_value(control_call_argument(call, name));
}

int64_t command_number(const struct control_call *call, const char *name, int64_t fallback)
{
    const json_t *value = control_call_argument(call, name);
    return value != NULL ? json_integer_value(value) : fallback;
}

bool command_flag(const struct control_call *call, const char *name)
{
    return json_is_true(control_call_argument(call, name));
}

bool command_refuse_while_stopping(const struct master *m, struct control_call *call)
{
    bool is_stopping = m->course.state == MASTER_STOPPING;
    if (is_stopping)
        control_refuse(call, CONTROL_NOT_NOW, "firehosed is stopping");
    return is_stopping;
}
