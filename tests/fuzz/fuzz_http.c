/* The HTTP upgrade. The first byte of the input says which side reads: an answer to our request, or a request.
 *
 * A head is read in any chunking: every prefix says "more" until one decides, and what it decides holds for
 * the whole. Texts for people hold nothing that a terminal would obey. */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "net/ws_accept.h"

static const char key[] = "dGhlIHNhbXBsZSBub25jZQ=="; /* RFC 6455 §1.3; its accept key is in the seeds */

static void check_printable(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        must((unsigned char)*p >= 0x20 && *p != 0x7f, "byte 0x%02x in '%s'", (unsigned char)*p, text);
}

static enum ws_upgrade read_exact(const uint8_t *data, size_t size, bool is_answer,
                                  struct ws_upgrade_answer *answer, struct ws_request *request)
{
    struct error why = {""};
    uint8_t *copy = malloc(size > 0 ? size : 1); /* one byte further is seen */
    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    enum ws_upgrade result = is_answer ? ws_read_answer(copy, size, key, answer, &why)
                                       : ws_read_request(copy, size, request, &why);
    free(copy);
    check_printable(why.text);
    if (result == WS_UPGRADE_BROKEN || result == WS_UPGRADE_REFUSED)
        must(why.text[0] != '\0');
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ws_request request, request_before;
    struct ws_upgrade_answer answer = {0}, before = {0};
    bool is_answer = !(take_number(&data, &size, 1) & 1);
    enum ws_upgrade whole = read_exact(data, size, is_answer, &answer, &request), part = WS_UPGRADE_NEED_MORE;
    if (whole == WS_UPGRADE_DONE || whole == WS_UPGRADE_REFUSED) {
        size_t consumed = is_answer ? answer.consumed : request.consumed;
        must(consumed > 0 && consumed <= size);
    }
    size_t step = size > 512 ? size / 64 : 1;
    for (size_t n = 0; n < size && part == WS_UPGRADE_NEED_MORE; n += step)
        part = read_exact(data, n, is_answer, &before, &request_before);
    if (part == WS_UPGRADE_NEED_MORE)
        return 0;
    must(part == whole, "part %d, whole %d", part, whole);
    if (!is_answer)
        must(memcmp(&request, &request_before, sizeof request) == 0);
    else if (whole != WS_UPGRADE_BROKEN)
        must(answer.status == before.status && answer.consumed == before.consumed);
    return 0;
}
