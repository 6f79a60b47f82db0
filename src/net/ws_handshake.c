/* ws_handshake.c: the client's side of the handshake (RFC 6455 §4.1): the request, and what the server says to it.
 *
 * An answer that is proper HTTP, but no upgrade, is something a person has to act on (an address that is
 * wrong, a limit, a proxy): its status, its target and the start of its text are passed on, cleaned of what
 * a terminal should not see. */
#include "config.h"

#include "net/ws_handshake.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "http_head.h"
#include "ws_accept.h"

enum {
    KEY_BYTES = 16,
    BODY_SHOWN_BYTES = 120,
    RETRY_AFTER_MAX_S = 24 * 60 * 60, /* no server is taken at its word for longer */
};

void ws_key_make(char key[WS_KEY_TEXT_BYTES])
{
    unsigned char bytes[KEY_BYTES];
    ssize_t n;
    do
        n = getrandom(bytes, sizeof bytes, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof bytes)
        abort(); /* getrandom(2): up to 256 bytes never fail once the system is up */
    EVP_EncodeBlock((unsigned char *)key, bytes, sizeof bytes);
}

void ws_append_request(struct buffer *out, const struct url *url, const char *path, const char *key,
                       const char *user_agent)
{
    bool is_v6 = strchr(url->host, ':') != NULL;
    buffer_append_format(out, "GET %s HTTP/1.1\r\nHost: %s%s%s", path, is_v6 ? "[" : "", url->host, is_v6 ? "]" : "");
    if (url->port != (url_is_tls(url) ? 443 : 80))
        buffer_append_format(out, ":%u", url->port);
    buffer_append_format(out,
                         "\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\n"
                         "Sec-WebSocket-Key: %s\r\n"
                         "Sec-WebSocket-Version: 13\r\n"
                         "User-Agent: %s\r\n\r\n",
                         key, user_agent);
}

/* ---- Retry-After ---- */

/* Two digits, or -1. */
static int two_digits(const char *p)
{
    return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7) as seconds since 1970; -1 for any other text. */
static int64_t parse_date(struct slice s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char shape[] = "---, -- --- ---- --:--:-- GMT";
    if (s.len != sizeof shape - 1)
        return -1;
    for (size_t i = 0; i < s.len; i++)
        if (shape[i] != '-' && shape[i] != s.at[i])
            return -1;
    int month = 0;
    while (month < 12 && memcmp(months + 3 * month, s.at + 8, 3) != 0)
        month++;
    int day = two_digits(s.at + 5), century = two_digits(s.at + 12), year = two_digits(s.at + 14);
    int hour = two_digits(s.at + 17), minute = two_digits(s.at + 20), second = two_digits(s.at + 23);
    if (month == 12 || day < 1 || century < 19 || year < 0 || hour < 0 || minute < 0 || second < 0)
        return -1;
    struct tm tm = {.tm_year = century * 100 + year - 1900, .tm_mon = month, .tm_mday = day, .tm_hour = hour,
                    .tm_min = minute, .tm_sec = second};
    return timegm(&tm);
}

/* Seconds from now, -1 where the header is absent or says nothing that can be used. */
static int retry_after(const struct http_head *head)
{
    struct slice value;
    if (!http_field(head, "Retry-After", &value) || value.len == 0)
        return -1;
    int64_t seconds = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') {
            int64_t date = parse_date(value);
            if (date < 0)
                return -1;
            seconds = date - clock_unix_us() / 1000000;
            break;
        }
        if (seconds <= RETRY_AFTER_MAX_S)
            seconds = seconds * 10 + (value.at[i] - '0');
    }
    return seconds < 0 ? 0 : seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : (int)seconds;
}

/* ---- the answer ---- */

/* Tells early that this will never be HTTP, so that nobody waits for the end of a head that does not come. */
static bool may_be_http(const uint8_t *bytes, size_t len, struct error *why)
{
    static const char start[] = "HTTP/1.";
    size_t n = len < sizeof start - 1 ? len : sizeof start - 1;
    if (memcmp(bytes, start, n) == 0)
        return true;
    char shown[32];
    if (bytes[0] == 0x15 || bytes[0] == 0x16) /* RFC 8446 §5.1: alert, handshake */
        error_set(why, "the answer is TLS, not HTTP: the URL should begin with wss://");
    else
        error_set(why, "the answer is not HTTP: '%s'",
                  slice_printable((struct slice){(const char *)bytes, len < 24 ? len : 24}, shown, sizeof shown));
    return false;
}

/* "HTTP/1.1 101 Switching Protocols": the status, and where the reason begins. */
static bool parse_status_line(struct slice line, int *status, struct slice *reason, struct error *why)
{
    const char *p = line.at;
    bool ok = line.len >= 12 && p[7] >= '0' && p[7] <= '9' && p[8] == ' ' && p[9] >= '1' && p[9] <= '5' &&
              two_digits(p + 10) >= 0 && (line.len == 12 || p[12] == ' ');
    if (!ok) {
        char shown[60];
        error_set(why, "'%s' is not an HTTP status line", slice_printable(line, shown, sizeof shown));
        return false;
    }
    *status = (p[9] - '0') * 100 + two_digits(p + 10);
    *reason = line.len > 13 ? (struct slice){p + 13, line.len - 13} : (struct slice){p, 0};
    return true;
}

/* §4.1, the client's checks 2 to 6. */
static bool check_upgrade(const struct http_head *head, const char *key, struct error *why)
{
    char expected[WS_ACCEPT_TEXT_BYTES];
    struct slice accept, value;
    if (head->line.at[7] == '0')
        error_set(why, "an upgrade in HTTP/1.0");
    else if (!http_field_lists(head, "Upgrade", "websocket"))
        error_set(why, "no 'Upgrade: websocket' in the answer");
    else if (!http_field_lists(head, "Connection", "upgrade"))
        error_set(why, "no 'Connection: Upgrade' in the answer");
    else if (http_field_count(head, "Sec-WebSocket-Accept") != 1 || !http_field(head, "Sec-WebSocket-Accept", &accept))
        error_set(why, "no Sec-WebSocket-Accept in the answer, or more than one");
    else if (!ws_accept_make(key, expected) || !slice_equals(accept, expected))
        error_set(why, "a wrong Sec-WebSocket-Accept: the answer is not to our request");
    else if (http_field(head, "Sec-WebSocket-Extensions", &value))
        error_set(why, "an extension that was not asked for");
    else if (http_field(head, "Sec-WebSocket-Protocol", &value))
        error_set(why, "a subprotocol that was not asked for");
    else
        return true;
    return false;
}

/* The start of a body that people can read, as far as it has arrived. */
static void show_body(const struct http_head *head, const uint8_t *body, size_t len, char *out, size_t out_bytes)
{
    struct slice type, text = {(const char *)body, len}, encoding;
    out[0] = '\0';
    bool readable = !http_field(head, "Content-Type", &type) || (type.len >= 5 && strncmp(type.at, "text/", 5) == 0) ||
                    (type.len >= 16 && strncmp(type.at, "application/json", 16) == 0);
    if (!readable || http_field(head, "Content-Encoding", &encoding))
        return;
    if (http_field_lists(head, "Transfer-Encoding", "chunked")) { /* the size of the first chunk is no text */
        const char *end = memchr(text.at, '\n', text.len);
        size_t skip = end != NULL ? (size_t)(end - text.at) + 1 : text.len;
        text.at += skip;
        text.len -= skip;
    }
    slice_printable(text, out, out_bytes);
}

/* "HTTP 429 Too Many Requests (retry after 30 s): slow down" */
static void explain_refusal(const struct http_head *head, struct slice reason, const struct ws_upgrade_answer *answer,
                            const uint8_t *body, size_t body_len, struct error *why)
{
    char phrase[64], location[160], text[BODY_SHOWN_BYTES], hint[200] = "";
    struct slice target;
    slice_printable(reason, phrase, sizeof phrase);
    show_body(head, body, body_len, text, sizeof text);
    if (answer->status >= 200 && answer->status < 300)
        snprintf(hint, sizeof hint, " instead of an upgrade: not a WebSocket endpoint?");
    else if (answer->status >= 300 && answer->status < 400 && http_field(head, "Location", &target))
        snprintf(hint, sizeof hint, ", redirected to %s (not followed)",
                 slice_printable(target, location, sizeof location));
    else if (answer->retry_after_s >= 0)
        snprintf(hint, sizeof hint, " (retry after %d s)", answer->retry_after_s);
    error_set(why, "HTTP %d%s%s%s%s%s", answer->status, phrase[0] != '\0' ? " " : "", phrase, hint,
              text[0] != '\0' ? ": " : "", text);
}

enum ws_upgrade ws_read_answer(const uint8_t *bytes, size_t len, const char *key, struct ws_upgrade_answer *answer,
                               struct error *why)
{
    struct http_head head;
    struct slice reason;
    *answer = (struct ws_upgrade_answer){.retry_after_s = -1};
    size_t at = 0;
    do { /* RFC 9110 §15.2: any number of interim answers, 101 apart, may come first */
        if (at == len)
            return WS_UPGRADE_NEED_MORE;
        if (!may_be_http(bytes + at, len - at, why))
            return WS_UPGRADE_BROKEN;
        switch (http_head_read(bytes + at, len - at, WS_HANDSHAKE_MAX_BYTES - at, &head, why)) {
        case HTTP_HEAD_NEED_MORE:
            return WS_UPGRADE_NEED_MORE;
        case HTTP_HEAD_BROKEN:
            return WS_UPGRADE_BROKEN;
        case HTTP_HEAD_WHOLE:
            break;
        }
        if (!parse_status_line(head.line, &answer->status, &reason, why))
            return WS_UPGRADE_BROKEN;
        at += head.bytes;
    } while (answer->status < 200 && answer->status != 101);
    answer->consumed = at;
    if (answer->status == 101)
        return check_upgrade(&head, key, why) ? WS_UPGRADE_DONE : WS_UPGRADE_BROKEN;
    answer->retry_after_s = retry_after(&head);
    explain_refusal(&head, reason, answer, bytes + at, len - at, why);
    return WS_UPGRADE_REFUSED;
}
