#include "config.h"

#include "control/control_request.h"

#include <string.h>

static const char *const code_names[CONTROL_CODES] = {
    [CONTROL_BAD_REQUEST] = "bad_request",         [CONTROL_BAD_VERSION] = "bad_version",
    [CONTROL_UNKNOWN_COMMAND] = "unknown_command", [CONTROL_BAD_ARGUMENT] = "bad_argument",
    [CONTROL_NOT_NOW] = "not_now",                 [CONTROL_TOO_MANY] = "too_many",
    [CONTROL_NOT_FOUND] = "not_found",             [CONTROL_UNAVAILABLE] = "unavailable",
    [CONTROL_FAILED] = "failed",
};

const char *control_code_name(enum control_code code) { return code_names[code]; }

/* An answer may repeat the id: it is small, and prints as it was read. */
static bool is_id(const json_t *id)
{
    return json_is_integer(id) || (json_is_string(id) && json_string_length(id) <= CONTROL_ID_MAX_BYTES);
}

static bool is_known_member(const char *name)
{
    static const char *const members[] = {"v", "id", "command", "args"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (strcmp(name, members[i]) == 0)
            return true;
    return false;
}

static bool check(struct control_request *r, enum control_code *code, struct error *why)
{
    const json_t *version = json_object_get(r->json, "v"), *command = json_object_get(r->json, "command");
    json_t *id = json_object_get(r->json, "id"), *args = json_object_get(r->json, "args"), *value;
    const char *name;
    *code = CONTROL_BAD_REQUEST;
    if (!json_is_object(r->json)) {
        error_set(why, "not an object, expected {\"command\":\"status\"}");
        return false;
    }
    if (id != NULL && !is_id(id)) {
        error_set(why, "id: expected a whole number or a text of at most %d bytes", CONTROL_ID_MAX_BYTES);
        return false;
    }
    r->id = id;
    if (version != NULL && (!json_is_integer(version) || json_integer_value(version) != CONTROL_VERSION)) {
        *code = CONTROL_BAD_VERSION;
        error_set(why, "version %d of the protocol is spoken here", CONTROL_VERSION);
        return false;
    }
    json_object_foreach(r->json, name, value) if (!is_known_member(name))
    {
        error_set(why, "member '%.60s' is not known", name);
        return false;
    }
    if (!json_is_string(command)) {
        error_set(why, "no command, expected {\"command\":\"status\"}");
        return false;
    }
    if (args != NULL && !json_is_object(args)) {
        error_set(why, "args: expected an object");
        return false;
    }
    r->command = json_string_value(command);
    r->args = args;
    return true;
}

bool control_request_parse(const char *line, size_t len, struct control_request *out, enum control_code *code,
                           struct error *why)
{
    json_error_t syntax;
    *out = (struct control_request){0};
    *code = CONTROL_BAD_REQUEST;
    if (len > CONTROL_REQUEST_MAX_BYTES) {
        error_set(why, "a request has at most %d bytes", CONTROL_REQUEST_MAX_BYTES);
        return false;
    }
    out->json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &syntax);
    if (out->json == NULL) {
        error_set(why, "not JSON: %s", syntax.text);
        return false;
    }
    return check(out, code, why);
}

void control_request_fini(struct control_request *r)
{
    json_decref(r->json);
    *r = (struct control_request){0};
}
