/* ws_accept.c: the server's side of the handshake (RFC 6455 §4.2), for firehose-replay. */
#include "config.h"

#include "ws_accept.h"

#include <openssl/evp.h>
#include <string.h>

#include "http_head.h"
#include "net/ws_handshake.h"

bool ws_accept_make(const char *key, char accept[WS_ACCEPT_TEXT_BYTES])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* §1.3 */
    char both[64 + sizeof guid];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    size_t key_len = strlen(key);
    accept[0] = '\0';
    if (key_len + sizeof guid > sizeof both)
        return false;
    memcpy(both, key, key_len);
    memcpy(both + key_len, guid, sizeof guid);
    if (EVP_Digest(both, key_len + sizeof guid - 1, digest, &digest_len, EVP_sha1(), NULL) != 1 || digest_len != 20)
        return false;
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)digest_len);
    return true;
}

/* Base64 of 16 bytes (§4.2.1, 5): 22 digits and "==". */
static bool is_key(struct slice key)
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

/* "GET /path HTTP/1.1" */
static bool parse_request_line(struct slice line, struct ws_request *request, struct error *why)
{
    static const char method[] = "GET ", version[] = " HTTP/1.1";
    const size_t method_len = sizeof method - 1, version_len = sizeof version - 1;
    char shown[80];
    if (line.len < method_len || memcmp(line.at, method, method_len) != 0) {
        error_set(why, "'%s' is not a GET request", slice_printable(line, shown, sizeof shown));
        return false;
    }
    if (line.len <= method_len + version_len ||
        memcmp(line.at + line.len - version_len, version, version_len) != 0) {
        error_set(why, "'%s' is not HTTP/1.1", slice_printable(line, shown, sizeof shown));
        return false;
    }
    struct slice path = {line.at + method_len, line.len - method_len - version_len};
    if (path.at[0] != '/' || memchr(path.at, ' ', path.len) != NULL || path.len >= sizeof request->path) {
        error_set(why, "the request's path is too long, or does not begin with '/'");
        return false;
    }
    memcpy(request->path, path.at, path.len);
    request->path[path.len] = '\0';
    return true;
}

static bool parse_upgrade(const struct http_head *head, struct ws_request *request, struct error *why)
{
    struct slice key;
    request->is_upgrade =
        http_field_lists(head, "Upgrade", "websocket") && http_field_lists(head, "Connection", "upgrade");
    if (!request->is_upgrade)
        return true;
    if (!http_field_lists(head, "Sec-WebSocket-Version", "13")) {
        error_set(why, "no Sec-WebSocket-Version: 13");
        return false;
    }
    if (http_field_count(head, "Sec-WebSocket-Key") != 1 || !http_field(head, "Sec-WebSocket-Key", &key) ||
        !is_key(key)) {
        error_set(why, "no Sec-WebSocket-Key of 16 bytes in base64");
        return false;
    }
    memcpy(request->key, key.at, key.len);
    request->key[key.len] = '\0';
    return true;
}

enum ws_upgrade ws_read_request(const uint8_t *bytes, size_t len, struct ws_request *request, struct error *why)
{
    struct http_head head;
    struct slice agent;
    *request = (struct ws_request){0};
    switch (http_head_read(bytes, len, WS_HANDSHAKE_MAX_BYTES, &head, why)) {
    case HTTP_HEAD_NEED_MORE:
        return WS_UPGRADE_NEED_MORE;
    case HTTP_HEAD_BROKEN:
        return WS_UPGRADE_BROKEN;
    case HTTP_HEAD_WHOLE:
        break;
    }
    if (!parse_request_line(head.line, request, why))
        return WS_UPGRADE_BROKEN;
    if (http_field_count(&head, "Host") != 1) { /* RFC 9112 §3.2 */
        error_set(why, "a request without a Host, or with two");
        return WS_UPGRADE_BROKEN;
    }
    if (!parse_upgrade(&head, request, why))
        return WS_UPGRADE_BROKEN;
    if (http_field(&head, "User-Agent", &agent))
        slice_printable(agent, request->user_agent, sizeof request->user_agent);
    request->consumed = head.bytes;
    return WS_UPGRADE_DONE;
}

void ws_append_accept(struct buffer *out, const char *key)
{
    char accept[WS_ACCEPT_TEXT_BYTES];
    if (!ws_accept_make(key, accept)) {
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
