/* client_request.c: from a client's HTTP request to a refusal, or to a position in the sequence.
 *
 * What a cursor means is the subject of most of this: see the lexicon of
 * com.atproto.sync.subscribeRepos; servers differ, so most of it can be chosen. */
#include "config.h"

#include "client_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "atproto/frame_header.h"
#include "client_faults.h"
#include "client_message.h"
#include "net/ws_accept.h"

static const char subscribe_path[] = FRAME_SUBSCRIBE_PATH;
enum { CLOSE_POLICY = 1008 }; /* what a PDS closes with behind an error frame */

/* ---- refusals ---- */

static const char *status_reason(int status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    default: return "Refused";
    }
}

static void refuse(struct client *c, int status, const char *extra_fields, const char *error, const char *message)
{
    char body[256];
    int len = snprintf(body, sizeof body, "{\"error\":\"%s\",\"message\":\"%s\"}\n", error, message);
    buffer_append_format(&c->out,
                         "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s"
                         "Connection: close\r\n\r\n%s",
                         status, status_reason(status), len, extra_fields, body);
    client_enter(c, CLIENT_ENDING);
}

/* ---- the request's parts ---- */

/* True where `path` (with its query) asks for the firehose. *query: what is behind the '?', or "". */
static bool is_firehose(const char *path, const char **query)
{
    size_t len = strcspn(path, "?");
    *query = path[len] == '?' ? path + len + 1 : "";
    return (len == 1 && path[0] == '/') || (len == strlen(subscribe_path) && memcmp(path, subscribe_path, len) == 0);
}

/* False: there is a cursor, and it is no number. */
static bool find_cursor(const char *query, bool *has_cursor, uint64_t *cursor)
{
    *has_cursor = false;
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        if (len > 7 && strncmp(query, "cursor=", 7) == 0) {
            char text[24];
            if (len - 7 >= sizeof text)
                return false;
            memcpy(text, query + 7, len - 7);
            text[len - 7] = '\0';
            *has_cursor = true;
            return parse_number(text, cursor) && *cursor <= INT64_MAX;
        }
        query += len + (query[len] == '&');
    }
    return true;
}

/* ---- the cursor ---- */

/* An endless sequence that is not paced has all the future already. */
static bool is_future(const struct server *s, uint64_t cursor)
{
    uint64_t limit = server_limit(s);
    if (limit == SEQUENCE_ENDLESS)
        return false;
    return cursor >= sequence_seq_at(&s->sequence, limit);
}

static uint64_t live_position(const struct server *s)
{
    uint64_t live = server_live(s), oldest = sequence_position(&s->sequence, s->options->oldest_seq);
    return live > oldest ? live : oldest;
}

/* Stored events. cursor=0 asks for the oldest, whatever that is: nothing was promised, nothing is lost. */
static void begin_at(struct client *c, uint64_t cursor)
{
    const struct server *s = c->server;
    uint64_t wanted = s->options->cursor_from ? cursor : cursor + 1;
    if (wanted < s->options->oldest_seq) {
        wanted = s->options->oldest_seq;
        if (cursor > 0) {
            serve_say("client %" PRIu64 ": cursor %" PRIu64 " is outdated", c->number, cursor);
            append_info_message(&c->out, "OutdatedCursor", "Requested cursor exceeded limit. Possibly missing events");
        }
    }
    c->position = sequence_position(&s->sequence, wanted);
}

static void begin(struct client *c, bool has_cursor, uint64_t cursor)
{
    const struct server *s = c->server;
    if (!has_cursor) {
        serve_say("client %" PRIu64 ": upgraded, no cursor", c->number);
        c->position = live_position(s);
        return;
    }
    serve_say("client %" PRIu64 ": upgraded, cursor %" PRIu64, c->number, cursor);
    if (!is_future(s, cursor)) {
        begin_at(c, cursor);
        return;
    }
    if (s->options->future_error) {
        serve_say("client %" PRIu64 ": cursor %" PRIu64 " is in the future", c->number, cursor);
        append_error_message(&c->out, "FutureCursor", "Cursor in the future.");
        client_close(c, CLOSE_POLICY, "FutureCursor");
        return;
    }
    c->position = live_position(s);
}

/* ---- the answer ---- */

static bool refuse_by_fault(struct client *c)
{
    struct faults *f = &c->server->faults;
    if (f->http_status == 0 || !fault_takes_connection(&f->http_times))
        return false;
    serve_say("client %" PRIu64 ": fault: answered with HTTP %d", c->number, f->http_status);
    refuse(c, f->http_status, "Retry-After: 1\r\n", "Fault", "This relay was told to refuse");
    return true;
}

static void upgrade(struct client *c, const char *key, bool has_cursor, uint64_t cursor)
{
    struct server *s = c->server;
    ws_append_accept(&c->out, key);
    if (fault_takes_connection(&s->faults.accept_then_close)) {
        serve_say("client %" PRIu64 ": fault: accepted, then closed", c->number);
        client_enter(c, CLIENT_ENDING);
        return;
    }
    server_start_production(s);
    client_enter(c, CLIENT_STREAMING);
    begin(c, has_cursor, cursor);
    if (c->state == CLIENT_STREAMING)
        client_apply_faults(c);
}

static void answer(struct client *c, const struct ws_request *request)
{
    const char *query;
    bool has_cursor;
    uint64_t cursor = 0;
    if (!is_firehose(request->path, &query))
        refuse(c, 404, "", "NotFound", "There is only /xrpc/com.atproto.sync.subscribeRepos here");
    else if (!request->is_upgrade)
        refuse(c, 426, "Upgrade: websocket\r\n", "InvalidRequest", "A WebSocket upgrade is expected");
    else if (refuse_by_fault(c))
        return;
    else if (!find_cursor(query, &has_cursor, &cursor))
        refuse(c, 400, "", "InvalidRequest", "cursor is not a number");
    else
        upgrade(c, request->key, has_cursor, cursor);
}

void client_read_request(struct client *c)
{
    struct ws_request request;
    struct error why;
    switch (ws_read_request(c->in.data, c->in.len, &request, &why)) {
    case WS_UPGRADE_NEED_MORE:
        return;
    case WS_UPGRADE_DONE:
        buffer_consume(&c->in, request.consumed);
        answer(c, &request);
        return;
    default:
        serve_say("client %" PRIu64 ": a broken request: %s", c->number, why.text);
        refuse(c, 400, "", "InvalidRequest", "The request is broken");
    }
}
