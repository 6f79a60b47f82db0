/* ws_handshake.c: the upgrade, both sides. The head of a message is read line by line; bare LF and folded lines are
 * refused (RFC 9112 §2.2 and §5.2 allow it): who sends those to a WebSocket client is not a relay. */
#include "config.h"

#include "net/ws_handshake.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "base/json_text.h"

static const char accept_salt[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 §1.3 */

enum { ACCEPT_TEXT_BYTES = 29, SHOWN_BODY_BYTES = 120, MAX_RETRY_S = 3600 };

void ws_key_make(char key[WS_KEY_TEXT_BYTES])
{
    uint8_t nonce[16] = {0};
    ssize_t ignored = getrandom(nonce, sizeof nonce, GRND_NONBLOCK); /* a nonce, not a secret: zeros would do */
    (void)ignored;
    EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
}

static bool accept_of(const char *key, char accept[ACCEPT_TEXT_BYTES])
{
    char joined[128];
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int n = snprintf(joined, sizeof joined, "%s%s", key, accept_salt);
    if (n < 0 || (size_t)n >= sizeof joined || EVP_Digest(joined, (size_t)n, digest, &len, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)len);
    return true;
}

void ws_append_request(struct buffer *out, const struct url *url, const char *path, const char *key,
                       const char *user_agent)
{
    char host[URL_HOST_BYTES + 16];
    bool usual = url->port == (url->scheme == URL_WSS ? 443 : 80);
    bool v6 = strchr(url->host, ':') != NULL;
    int n = snprintf(host, sizeof host, v6 ? "[%s]" : "%s", url->host);
    if (!usual)
        snprintf(host + n, sizeof host - (size_t)n, ":%u", url->port);
    buffer_append_format(out,
                         "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nUser-Agent: %s\r\n\r\n",
                         path, host, key, user_agent);
}

void ws_append_accept(struct buffer *out, const char *key)
{
    char accept[ACCEPT_TEXT_BYTES] = "";
    accept_of(key, accept);
    buffer_append_format(out,
                         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: %s\r\n\r\n",
                         accept);
}

/* ---- reading a head ---- */

struct text {
    const char *at;
    size_t len;
};

static bool text_is(struct text t, const char *word)
{
    return t.len == strlen(word) && strncasecmp(t.at, word, t.len) == 0;
}

/* True if the comma-separated list has the word. */
static bool list_has(struct text list, const char *word)
{
    const char *end = list.at + list.len;
    for (const char *p = list.at; p < end;) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma != NULL ? comma : end;
        struct text item = {p, (size_t)(stop - p)};
        while (item.len > 0 && (*item.at == ' ' || *item.at == '\t'))
            item.at++, item.len--;
        while (item.len > 0 && (item.at[item.len - 1] == ' ' || item.at[item.len - 1] == '\t'))
            item.len--;
        if (text_is(item, word))
            return true;
        p = stop + 1;
    }
    return false;
}

/* The next line, without its CRLF. False: no more lines in the head, or a line that is none. */
static bool next_line(const char **at, const char *end, struct text *line)
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    if (newline == NULL || newline == *at || newline[-1] != '\r')
        return false;
    *line = (struct text){*at, (size_t)(newline - 1 - *at)};
    *at = newline + 1;
    return true;
}

static bool split_field(struct text line, struct text *name, struct text *value)
{
    const char *colon = memchr(line.at, ':', line.len);
    if (colon == NULL || colon == line.at || *line.at == ' ' || *line.at == '\t')
        return false;
    *name = (struct text){line.at, (size_t)(colon - line.at)};
    *value = (struct text){colon + 1, line.len - name->len - 1};
    while (value->len > 0 && (*value->at == ' ' || *value->at == '\t'))
        value->at++, value->len--;
    while (value->len > 0 && (value->at[value->len - 1] == ' ' || value->at[value->len - 1] == '\t'))
        value->len--;
    return true;
}

/* Finds the end of the head. WS_UPGRADE_DONE: *consumed bytes. */
static enum ws_upgrade find_head(const uint8_t *bytes, size_t len, size_t *consumed, struct error *why)
{
    const void *end = memmem(bytes, len < WS_HANDSHAKE_MAX_BYTES ? len : WS_HANDSHAKE_MAX_BYTES, "\r\n\r\n", 4);
    if (end != NULL) {
        *consumed = (size_t)((const uint8_t *)end - bytes) + 4;
        return WS_UPGRADE_DONE;
    }
    if (len < WS_HANDSHAKE_MAX_BYTES)
        return WS_UPGRADE_NEED_MORE;
    error_set(why, "the head is longer than %d bytes", WS_HANDSHAKE_MAX_BYTES);
    return WS_UPGRADE_BROKEN;
}

/* Seconds from a Retry-After: a number, or a date (RFC 9110 §10.2.3); -1 where it is neither. */
static int retry_after(struct text value)
{
    char text[64];
    if (value.len == 0 || value.len >= sizeof text)
        return -1;
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
    char *end;
    long seconds = strtol(text, &end, 10);
    if (*end != '\0') {
        struct tm date = {0};
        if (strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &date) == NULL)
            return -1;
        seconds = (long)(timegm(&date) - time(NULL));
    }
    return seconds < 0 ? 0 : seconds > MAX_RETRY_S ? MAX_RETRY_S : (int)seconds;
}

/* What of an answer's fields matters. */
struct answer_fields {
    bool upgrade, connection, extension;
    struct text accept, location, retry;
};

static bool read_fields(const char *at, const char *end, struct answer_fields *f)
{
    struct text line, name, value;
    *f = (struct answer_fields){0};
    while (at < end) {
        if (!next_line(&at, end, &line))
            return false;
        if (line.len == 0)
            return true;
        if (!split_field(line, &name, &value))
            return false;
        if (text_is(name, "upgrade"))
            f->upgrade = list_has(value, "websocket");
        else if (text_is(name, "connection"))
            f->connection = f->connection || list_has(value, "upgrade");
        else if (text_is(name, "sec-websocket-accept"))
            f->accept = value;
        else if (text_is(name, "sec-websocket-extensions") || text_is(name, "sec-websocket-protocol"))
            f->extension = true;
        else if (text_is(name, "location"))
            f->location = value;
        else if (text_is(name, "retry-after"))
            f->retry = value;
    }
    return true;
}

/* A proper answer that is not an upgrade, in words. */
static enum ws_upgrade refuse(struct ws_upgrade_answer *answer, struct text reason, const struct answer_fields *f,
                              struct text body, struct error *why)
{
    char more[300] = "";
    if (answer->retry_after_s >= 0)
        snprintf(more, sizeof more, ", retry after %d s", answer->retry_after_s);
    else if (f->location.len > 0)
        snprintf(more, sizeof more, ", redirects to %.*s (not followed: set the relay's URL to where it is)",
                 (int)(f->location.len < 150 ? f->location.len : 150), f->location.at);
    else if (answer->status == 200)
        snprintf(more, sizeof more, " instead of a WebSocket upgrade");
    size_t shown = body.len < SHOWN_BODY_BYTES ? body.len : SHOWN_BODY_BYTES;
    const char *newline = memchr(body.at, '\n', shown);
    if (newline != NULL)
        shown = (size_t)(newline - body.at);
    error_set(why, "HTTP %d %.*s%s%s%.*s", answer->status, (int)(reason.len < 60 ? reason.len : 60), reason.at, more,
              shown > 0 ? ": " : "", (int)shown, body.at);
    return WS_UPGRADE_REFUSED;
}

static enum ws_upgrade broken(struct error *why, const char *text)
{
    error_set(why, "%s", text);
    return WS_UPGRADE_BROKEN;
}

enum ws_upgrade ws_read_answer(const uint8_t *bytes, size_t len, const char *key, struct ws_upgrade_answer *answer,
                               struct error *why)
{
    *answer = (struct ws_upgrade_answer){.retry_after_s = -1};
    const char *at = (const char *)bytes;
    /* Not HTTP is known from the first bytes: no need to wait for 16 KiB of something else. */
    if (memcmp(at, "HTTP/1.", len < 7 ? len : 7) != 0)
        return broken(why, "the answer is not HTTP/1.1");
    enum ws_upgrade head = find_head(bytes, len, &answer->consumed, why);
    if (head != WS_UPGRADE_DONE)
        return head;
    const char *end = at + answer->consumed;
    struct text status, body = {end, len - answer->consumed};
    struct answer_fields f;
    char accept[ACCEPT_TEXT_BYTES];
    if (!next_line(&at, end, &status) || status.len < 12 || status.at[8] != ' ')
        return broken(why, "the answer's first line is not HTTP");
    answer->status = atoi(status.at + 9);
    struct text reason = {status.at + 12, status.len - 12};
    if (reason.len > 0)
        reason.at++, reason.len--;
    if (answer->status < 100 || answer->status > 599 || !read_fields(at, end, &f))
        return broken(why, "the answer's head is not HTTP");
    answer->retry_after_s = retry_after(f.retry);
    if (answer->status != 101)
        return refuse(answer, reason, &f, body, why);
    if (!f.upgrade || !f.connection)
        return broken(why, "HTTP 101 without 'Upgrade: websocket' and 'Connection: Upgrade'");
    if (!accept_of(key, accept) || f.accept.len != strlen(accept) || memcmp(f.accept.at, accept, f.accept.len) != 0)
        return broken(why, "Sec-WebSocket-Accept does not answer our key");
    if (f.extension)
        return broken(why, "an extension or subprotocol that was not asked for");
    return WS_UPGRADE_DONE;
}

/* ---- the server's side ---- */

static bool keep(char *out, size_t out_bytes, struct text t)
{
    if (t.len >= out_bytes)
        return false;
    memcpy(out, t.at, t.len);
    out[t.len] = '\0';
    return true;
}

enum ws_upgrade ws_read_request(const uint8_t *bytes, size_t len, struct ws_request *request, struct error *why)
{
    *request = (struct ws_request){0};
    enum ws_upgrade head = find_head(bytes, len, &request->consumed, why);
    if (head != WS_UPGRADE_DONE)
        return head;
    const char *at = (const char *)bytes, *end = at + request->consumed;
    struct text line, name, value;
    if (!next_line(&at, end, &line) || line.len < 14 || memcmp(line.at, "GET ", 4) != 0 ||
        memcmp(line.at + line.len - 9, " HTTP/1.", 8) != 0)
        return broken(why, "not a GET request of HTTP/1.1");
    if (!keep(request->path, sizeof request->path, (struct text){line.at + 4, line.len - 13}))
        return broken(why, "the path is too long");
    bool upgrade = false;
    while (next_line(&at, end, &line) && line.len > 0) {
        if (!split_field(line, &name, &value))
            return broken(why, "the request's head is not HTTP");
        if (text_is(name, "upgrade"))
            upgrade = list_has(value, "websocket");
        else if (text_is(name, "sec-websocket-key") && !keep(request->key, sizeof request->key, value))
            return broken(why, "the key is too long");
        else if (text_is(name, "user-agent"))
            keep(request->user_agent, sizeof request->user_agent, value);
    }
    request->is_upgrade = upgrade && request->key[0] != '\0';
    return WS_UPGRADE_DONE;
}
