/* Small texts that Redis and frames hold: INFO, owner tokens, times. The first byte of the input says which.
 *
 * Whatever is read is in its range, and an owner or a time, written and read again, is the same.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/rfc3339.h"
#include "fuzz.h"
#include "redis/info.h"
#include "redis/progress.h"

static void check_info(const char *text)
{
    char out[64], concern[200];
    info_text(text, "role", out, sizeof out);
    must(strchr(out, '\n') == NULL && strchr(out, '\r') == NULL);
    info_number(text, "maxmemory");
    info_concern(text, concern, sizeof concern);
    must(strlen(concern) < sizeof concern);
    must(info_append_log(text) <= APPEND_LOG_FAILED);
}

static void check_owner(const char *text)
{
    struct owner_token token, again;
    char written[OWNER_TOKEN_BYTES];
    if (!owner_parse(text, &token))
        return;
    owner_format(&token, written);
    must(owner_parse(written, &again), "'%s'", written);
    must(again.instance == token.instance && again.generation == token.generation, "'%s'", written);
}

static void check_time(const uint8_t *data, size_t size)
{
    char written[CLOCK_TEXT_BYTES];
    int64_t us, again;
    if (!rfc3339_parse(data, size, &us))
        return;
    must(us >= 0 && us < INT64_C(253402300800000000), "%lld", (long long)us);
    clock_format_utc(us, written);
    must(rfc3339_parse(written, strlen(written), &again), "'%s'", written);
    must(again / 1000 == us / 1000, "'%s'", written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[8192];
    uint32_t which = take_number(&data, &size, 1) % 3;
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (which == 0)
        check_info(text);
    else if (which == 1)
        check_owner(text);
    else
        check_time(data, size);
    return 0;
}
