/* Records: one DAG-CBOR item as AT Protocol JSON. The input is the item, and whatever is behind it.
 *
 * record_append_json() and cbor_skip() agree on whether it is one and where it ends, and what is broken
 * where; what is written is valid UTF-8 with no control character, its brackets and quotes match. (fuzz_event
 * compares the text.) */
#include "config.h"

#include <string.h>

#include "atproto/event_json.h"
#include "atproto/record_json.h"
#include "base/json_text.h"
#include "fuzz.h"

static void check_text(const uint8_t *text, size_t len)
{
    size_t depth = 0;
    bool in_string = false;
    must(utf8_valid(text, len, NULL));
    for (size_t i = 0; i < len; i++) {
        must(text[i] >= 0x20, "byte 0x%02x", text[i]);
        if (in_string) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                in_string = false;
        } else if (text[i] == '"') {
            in_string = true;
        } else if (text[i] == '{' || text[i] == '[') {
            depth++;
        } else if (text[i] == '}' || text[i] == ']') {
            must(depth-- > 0);
        }
    }
    must(!in_string && depth == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer out;
    struct cbor_reader r, skipper;
    bool has_type;
    cbor_reader_init(&r, data, size);
    cbor_reader_init(&skipper, data, size);
    buffer_clear(&out);
    bool written = record_append_json(&r, &out, &has_type), skipped = cbor_skip(&skipper);
    must(written == skipped, "written %d, skipped %d", written, skipped);
    must(r.at == skipper.at);
    if (written)
        check_text(out.data, out.len);
    else
        must(out.len == 0 && !has_type && strcmp(r.violation.rule, skipper.violation.rule) == 0 &&
             r.violation.offset == skipper.violation.offset);
    return 0;
}
