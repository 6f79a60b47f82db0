#include "config.h"

#include "http/page.h"

#include <string.h>

#include "base/sha256.h"
#include "base/json_text.h"

static const unsigned char page[] = {
#include "src/http/page.inc"
    0 /* terminated, for strstr() */
};

const void *page_bytes(size_t *len)
{
    *len = sizeof page - 1;
    return page;
}

/* Appends "'sha256-…'" of the text between the two tags. */
static bool append_hash(struct buffer *out, struct sha256 *h, const char *open, const char *close)
{
    uint8_t digest[32];
    const char *start = strstr((const char *)page, open);
    const char *end = start != NULL ? strstr(start, close) : NULL;
    if (end == NULL)
        return false;
    start += strlen(open);
    if (!sha256_digest(h, start, (size_t)(end - start), digest))
        return false;
    buffer_append_literal(out, "'sha256-");
    json_append_base64(out, digest, sizeof digest, true);
    buffer_append_literal(out, "'");
    return true;
}

bool page_policy(struct buffer *out)
{
    struct sha256 *h = sha256_new();
    bool ok = h != NULL;
    buffer_append_literal(out, "default-src 'none'; connect-src 'self'; img-src data:; script-src ");
    ok = ok && append_hash(out, h, "<script>", "</script>");
    buffer_append_literal(out, "; style-src ");
    ok = ok && append_hash(out, h, "<style>", "</style>");
    buffer_append_literal(out, "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    buffer_append_byte(out, '\0');
    sha256_free(h);
    return ok && !out->failed;
}
