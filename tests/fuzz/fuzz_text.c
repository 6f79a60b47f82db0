/* Text from outside. The first two bytes of the input say how much room there is; the rest is the text.
 *
 * What comes out is valid UTF-8 for a second reader (jansson), has no control character, is not changed by cleaning it
 * again, and fits; and text that was clean already comes out as it went in.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"

static void check_clean(const char *text)
{
    static char again[70000];
    json_t *json = json_string(text);
    must(json != NULL, "not UTF-8: %s", text);
    json_decref(json);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        must(*c >= 0x20 && *c != 0x7f, "control character %x", *c);
        must(c[0] != 0xc2 || c[1] >= 0xa0, "C1");
    }
    snprintf(again, sizeof again, "%s", text);
    text_clean(again);
    must(strcmp(again, text) == 0, "cleaned twice: %s", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char out[70000], whole[70000], formatted[70000];
    size_t room = take_number(&data, &size, 2) + 1;
    if (size >= sizeof whole)
        return 0;
    size_t len = text_copy(out, room, data, size);
    must(len < room && strlen(out) == len);
    check_clean(out);
    must(text_copy(whole, sizeof whole, data, size) == size, "each byte stays one");
    check_clean(whole);
    must(strncmp(whole, out, len) == 0, "the cut one is the beginning of the whole");
    text_format(formatted, room, "%s", whole);
    check_clean(formatted);
    must(strcmp(formatted, out) == 0 || strlen(formatted) < room);
    return 0;
}
