/* client_request.c: most of this file is about the meaning of a cursor (lexicon com.atproto.sync.subscribeRepos).
 * Servers differ in it, so options choose it. */
#include "config.h"

#include "client_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "atproto/frame_header.h"
#include "base/optional.h"
#include "client_faults.h"
#include "client_message.h"
#include "net/ws_accept.h"

static const char subscribe_path[] = FRAME_SUBSCRIBE_PATH;
enum { CLOSE_POLICY = 1008 }; /* a PDS closes with this code after an error frame */

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

/* Returns true if `path` asks for the firehose. *query gets the text after the '?', or "". */
static bool is_firehose(const char *path, const char **query)
{
    size_t len = strcspn(path, "?");
    *query = path[len] == '?' ? path + len + 1 : "";
    return (len == 1 && path[0] == '/') || (len == strlen(subscribe_path) && memcmp(path, subscribe_path, len) == 0);
}

/* Reads the cursor in a query, if there is one. Returns false if it is not a number. */
static bool find_cursor(const char *query, struct optional *cursor)
{
    *cursor = optional_none();
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        if (len > 7 && strncmp(query, "cursor=", 7) == 0) {
            char text[24];
            if (len - 7 >= sizeof text)
                return false;
            memcpy(text, query + 7, len - 7);
            text[len - 7] = '\0';
            uint64_t number;
            bool ok = parse_number(text, &number) && number <= INT64_MAX;
            *cursor = ok ? optional_of((int64_t)number) : optional_none();
            return ok;
        }
        query += len + (query[len] == '&');
    }
    return true;
}

/* ---- the cursor ---- */

/* Without a rate, an endless sequence has no future: all its events exist. */
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

/* Begins with stored events. cursor=0 asks for the oldest event, so it is never outdated. */
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

static void begin(struct client *c, struct optional wanted)
{
    const struct server *s = c->server;
    uint64_t cursor = (uint64_t)wanted.value;
    if (!wanted.is_known) {
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
    refuse(c, f->http_status, "Retry-After: 1\r\n", "Fault", "An option tells this relay to refuse");
    return true;
}

static void upgrade(struct client *c, const char *key, struct optional cursor)
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
    begin(c, cursor);
    if (c->state == CLIENT_STREAMING)
        client_apply_faults(c);
}

static void answer(struct client *c, const struct ws_request *request)
{
    const char *query;
    struct optional cursor;
    if (!is_firehose(request->path, &query))
        refuse(c, 404, "", "NotFound", "This server has only " FRAME_SUBSCRIBE_PATH);
    else if (!request->is_upgrade)
        refuse(c, 426, "Upgrade: websocket\r\n", "InvalidRequest", "A WebSocket upgrade is expected");
    else if (refuse_by_fault(c))
        return;
    else if (!find_cursor(query, &cursor))
        refuse(c, 400, "", "InvalidRequest", "cursor is not a number");
    else
        upgrade(c, request->key, cursor);
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
