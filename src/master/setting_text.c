#include "config.h"

#include "master/setting_text.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "net/url.h"

/* Appends one word of a value: a URL without its password. */
static void append_shown(struct buffer *shown, const char *word, size_t len)
{
    char text[SETTING_TEXT_BYTES], redacted[URL_HOST_BYTES + URL_PATH_BYTES];
    struct url url;
    struct error ignored;
    snprintf(text, sizeof text, "%.*s", (int)len, word);
    if (strstr(text, "://") == NULL)
        buffer_append_text(shown, text);
    else if (url_parse(text, &url, &ignored))
        buffer_append_text(shown, url_redacted(&url, redacted, sizeof redacted));
    else
        buffer_append_literal(shown, "(not a URL that can be shown)");
}

/* A URL, or a list of them, may hold passwords: it is shown as status shows it. */
const char *setting_text(const struct setting *row, const struct config *config, char *out, size_t out_bytes)
{
    struct buffer shown;
    settings_format(row, config, out, out_bytes);
    if (row->type != SETTING_TEXT || strstr(out, "://") == NULL)
        return out;
    buffer_init(&shown);
    for (const char *at = out; *at != '\0';) {
        size_t between = strspn(at, ", \t"), len = strcspn(at + between, ", \t");
        buffer_append(&shown, at, between);
        append_shown(&shown, at + between, len);
        at += between + len;
    }
    buffer_append_byte(&shown, '\0');
    snprintf(out, out_bytes, "%s", shown.failed ? "" : (const char *)shown.data);
    buffer_fini(&shown);
    return out;
}
