/* ws_accept.c: reads a client's request and answers it. */
#include "config.h"

#include "net/ws_accept.h"

#include <string.h>

#include "http_head.h"

/* Returns true for base64 of 16 bytes (§4.2.1, 5): 22 digits and "==". */
static bool is_key(struct span key)
{
    if (key.len != WS_KEY_TEXT_BYTES - 1 || memcmp(key.at + 22, "==", 2) != 0)
        return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/'))
            return false;
    }
    return true;
}

/* Parses "GET /path HTTP/1.1". */
static bool parse_request_line(struct span line, struct ws_request *request, struct error *why)
{
    static const char method[] = "GET ", version[] = " HTTP/1.1";
    const size_t method_len = sizeof method - 1, version_len = sizeof version - 1;
    char shown[80];
    if (line.len < method_len || memcmp(line.at, method, method_len) != 0) {
        error_set(why, "'%s' is not a GET request", span_printable(line, shown, sizeof shown));
        return false;
    }
    if (line.len <= method_len + version_len || memcmp(line.at + line.len - version_len, version, version_len) != 0) {
        error_set(why, "'%s' is not HTTP/1.1", span_printable(line, shown, sizeof shown));
        return false;
    }
    struct span path = {line.at + method_len, line.len - method_len - version_len};
    if (path.at[0] != '/' || memchr(path.at, ' ', path.len) != NULL || path.len >= sizeof request->path) {
        error_set(why, "the path of the request is too long, or does not begin with '/'");
        return false;
    }
    memcpy(request->path, path.at, path.len);
    request->path[path.len] = '\0';
    return true;
}

static bool parse_upgrade(const struct http_head *head, struct ws_request *request, struct error *why)
{
    struct span key;
    request->is_upgrade =
        http_field_lists(head, "Upgrade", "websocket") && http_field_lists(head, "Connection", "upgrade");
    if (!request->is_upgrade)
        return true;
    if (!http_field_lists(head, "Sec-WebSocket-Version", "13")) {
        error_set(why, "the request has no 'Sec-WebSocket-Version: 13'");
        return false;
    }
    if (http_field_count(head, "Sec-WebSocket-Key") != 1 || !http_field(head, "Sec-WebSocket-Key", &key) ||
        !is_key(key)) {
        error_set(why, "the request has no Sec-WebSocket-Key of 16 bytes in base64");
        return false;
    }
    memcpy(request->key, key.at, key.len);
    request->key[key.len] = '\0';
    return true;
}

enum ws_upgrade ws_read_request(const uint8_t *bytes, size_t len, struct ws_request *request, struct error *why)
{
    struct http_head head;
    struct span agent;
    *request = (struct ws_request){0};
    enum http_head_result result = http_head_read(bytes, len, WS_HANDSHAKE_MAX_BYTES, &head, why);
    if (result != HTTP_HEAD_WHOLE)
        return result == HTTP_HEAD_NEED_MORE ? WS_UPGRADE_NEED_MORE : WS_UPGRADE_BROKEN;
    if (!parse_request_line(head.line, request, why))
        return WS_UPGRADE_BROKEN;
    if (http_field_count(&head, "Host") != 1) { /* RFC 9112 §3.2 */
        error_set(why, "the request has no Host, or more than one");
        return WS_UPGRADE_BROKEN;
    }
    if (!parse_upgrade(&head, request, why))
        return WS_UPGRADE_BROKEN;
    if (http_field(&head, "User-Agent", &agent))
        span_printable(agent, request->user_agent, sizeof request->user_agent);
    request->consumed = head.bytes;
    return WS_UPGRADE_DONE;
}

void ws_append_accept(struct buffer *out, const char *key)
{
    char accept[WS_ACCEPT_TEXT_BYTES];
    if (!ws_key_accept(key, accept)) {
        out->failed = true;
        return;
    }
    buffer_append_literal(out, "HTTP/1.1 101 Switching Protocols\r\n"
                               "Upgrade: websocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: ");
    buffer_append_text(out, accept);
    buffer_append_literal(out, "\r\n\r\n");
}
