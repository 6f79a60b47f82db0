/* Requests on the control socket. The input is one line.
 *
 * A request has a command, and args that are an object; a refusal says why in text that an answer can carry;
 * the id, if there is one, is of a kind that an answer can repeat. */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "control/control_request.h"

static void check_text(const char *text)
{
    json_t *carried = json_string(text);
    must(carried != NULL, "not UTF-8: '%s'", text);
    json_decref(carried);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_request r;
    struct error why = {""};
    enum control_code code = CONTROL_CODES;
    bool ok = control_request_parse((const char *)data, size, &r, &code, &why);
    if (ok) {
        must(r.command != NULL && (r.args == NULL || json_is_object(r.args)));
        check_text(r.command);
    } else {
        must(code < CONTROL_CODES && control_code_name(code) != NULL && why.text[0] != '\0');
        check_text(why.text);
    }
    if (r.id != NULL)
        must(json_is_integer(r.id) ||
             (json_is_string(r.id) && json_string_length(r.id) <= CONTROL_ID_MAX_BYTES));
    control_request_fini(&r);
    return 0;
}
