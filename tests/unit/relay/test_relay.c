/* The message hook answers with what it wants, and the relay carries it out after the hook has returned. The server is
 * the least WebSocket server that these tests need, on the loopback interface. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/websocket.h"
#include "net/ws_accept.h"
#include "net/ws_handshake.h"
#include "relay/relay.h"

enum { RING_BYTES = 64 * 1024, TEXT_BYTES = 512, PATIENCE_S = 10 };

struct stage {
    struct event_base *base;
    struct ledger *ledger;
    struct config config;
    struct relay_list relays;
    struct relay *relay;

    /* The server. It sends the messages "a", "b" and "c" to each connection, "b" in two fragments. */
    int listener, fd;
    struct event *on_accept, *on_bytes;
    bool is_upgraded;
    unsigned close_code; /* that the relay has sent; 0: none */

    /* The hooks. */
    bool is_in_message_hook;
    struct relay_answer answer; /* to the first message named `to` */
    char to;
    char heard[TEXT_BYTES]; /* the messages, "|" for a connection, "f" for a failure, "s" for stopped */
    size_t heard_len;
    size_t end_at; /* the loop ends when so much was heard */
};

/* ---- the server ---- */

static void add_fragment(struct buffer *out, enum ws_opcode opcode, bool fin, const char *payload)
{
    uint8_t header[16];
    buffer_append(out, header, ws_server_header(header, opcode, fin, strlen(payload)));
    buffer_append_text(out, payload);
}

static void send_all(struct stage *s, struct buffer *out)
{
    assert_int_equal(send(s->fd, out->data, out->len, MSG_NOSIGNAL), out->len);
    buffer_fini(out);
}

static void send_message(struct stage *s, const char *text)
{
    struct buffer out = {0};
    add_fragment(&out, WS_BINARY, true, text);
    send_all(s, &out);
}

static void hang_up(struct stage *s)
{
    if (s->on_bytes != NULL)
        event_free(s->on_bytes);
    if (s->fd >= 0)
        close(s->fd);
    s->on_bytes = NULL;
    s->fd = -1;
}

static void on_bytes(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct stage *s = arg;
    struct ws_request request;
    struct error why;
    uint8_t bytes[4096];
    struct buffer out = {0};
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n <= 0) {
        hang_up(s);
        return;
    }
    if (s->is_upgraded) {
        /* A masked close frame of two bytes: header, key, code. */
        if (n == 8 && (bytes[0] & 0xf) == WS_CLOSE) {
            s->close_code = (unsigned)(bytes[6] ^ bytes[2]) << 8 | (bytes[7] ^ bytes[3]);
            add_fragment(&out, WS_CLOSE, true, "\x03\xe8");
            send_all(s, &out);
        }
        return;
    }
    assert_int_equal(ws_read_request(bytes, (size_t)n, &request, &why), WS_UPGRADE_DONE);
    s->is_upgraded = true;
    ws_append_accept(&out, request.key);
    add_fragment(&out, WS_BINARY, true, "a");
    add_fragment(&out, WS_BINARY, false, "");
    add_fragment(&out, WS_CONTINUATION, true, "b");
    add_fragment(&out, WS_BINARY, true, "c");
    send_all(s, &out);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct stage *s = arg;
    hang_up(s);
    s->fd = accept(fd, NULL, NULL);
    assert_true(s->fd >= 0);
    s->is_upgraded = false;
    s->on_bytes = event_new(s->base, s->fd, EV_READ | EV_PERSIST, on_bytes, s);
    event_add(s->on_bytes, NULL);
}

static void listen_on_loopback(struct stage *s, char url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    s->fd = -1;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &len), 0);
    snprintf(url, 64, "ws://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    s->on_accept = event_new(s->base, s->listener, EV_READ | EV_PERSIST, on_accept, s);
    event_add(s->on_accept, NULL);
}

/* ---- the hooks ---- */

static void hear(struct stage *s, char what)
{
    assert_true(s->heard_len + 1 < sizeof s->heard);
    s->heard[s->heard_len++] = what;
    if (s->heard_len == s->end_at)
        event_base_loopbreak(s->base);
}

static struct optional on_cursor(void *arg)
{
    (void)arg;
    return optional_none();
}

static void on_connected(void *arg)
{
    hear(arg, '|');
}

static struct relay_answer on_message(void *arg, const uint8_t *frame, size_t offset, size_t len, size_t consumed)
{
    struct stage *s = arg;
    struct relay_answer answer = {.verdict = RELAY_TAKEN};
    size_t filled, room;
    assert_false(s->is_in_message_hook);
    s->is_in_message_hook = true;
    assert_int_equal(len, 1);
    assert_ptr_equal(frame, ledger_window(s->ledger, &filled, &room) + offset);
    char text = (char)*frame;
    if (text == s->to) {
        answer = s->answer;
        s->to = '\0';
    }
    if (answer.verdict != RELAY_WAIT)
        ledger_skip(s->ledger, consumed);
    hear(s, text);
    s->is_in_message_hook = false;
    return answer;
}

static void on_idle(void *arg)
{
    struct stage *s = arg;
    assert_false(s->is_in_message_hook);
}

static void on_failed(void *arg, bool is_healthy, int64_t asked_ms)
{
    assert_int_equal(asked_ms, 0);
    struct stage *s = arg;
    assert_false(s->is_in_message_hook);
    assert_false(is_healthy);
    hear(s, 'f');
}

static void on_stopped(void *arg)
{
    struct stage *s = arg;
    assert_false(s->is_in_message_hook);
    hear(s, 's');
}

/* ---- the stage ---- */

static int set_up(void **state)
{
    static char url[64];
    struct stage *s = calloc(1, sizeof *s);
    struct error why;
    s->base = event_base_new();
    listen_on_loopback(s, url);
    s->config = (struct config){.relay = url,
                                .cursor_key = url,
                                .progress_key = url,
                                .relay_connect_timeout = 5000,
                                .relay_ping_interval = 30000,
                                .relay_idle_timeout = 45000,
                                .relay_backoff = 1,
                                .relay_backoff_max = 1,
                                .relay_max_message = 1000};
    const struct relay_hooks hooks = {.arg = s,
                                      .cursor = on_cursor,
                                      .connected = on_connected,
                                      .message = on_message,
                                      .idle = on_idle,
                                      .failed = on_failed,
                                      .stopped = on_stopped};
    assert_true(relay_list_init(&s->relays, &s->config, &why));
    s->ledger = ledger_new(RING_BYTES, 1, &why);
    s->relay = relay_new(s->base, NULL, s->ledger, &s->config, &s->relays, &hooks);
    assert_non_null(s->relay);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    relay_free(s->relay);
    ledger_free(s->ledger);
    hang_up(s);
    event_free(s->on_accept);
    close(s->listener);
    event_base_free(s->base);
    free(s);
    return 0;
}

/* Runs the loop until all of this was heard since the start, and nothing else. */
static void assert_heard(struct stage *s, const char *expected)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    s->end_at = strlen(expected);
    event_base_loopexit(s->base, &patience);
    if (s->heard_len < s->end_at)
        event_base_dispatch(s->base);
    assert_string_equal(s->heard, expected);
}

static void messages_are_handed_over_in_order(void **state)
{
    struct stage *s = *state;
    relay_start(s->relay);
    assert_heard(s, "|abc");
    assert_true(relay_is_up(s->relay));
    assert_int_equal(relay_connects(s->relay), 1);
}

static void assert_offered_again(struct stage *s, char to, const char *heard, const char *then)
{
    memset(s->heard, 0, sizeof s->heard);
    s->heard_len = 0;
    s->to = to;
    s->answer = (struct relay_answer){.verdict = RELAY_WAIT};
    assert_heard(s, heard);
    send_message(s, "d"); /* bytes that come let the relay look again */
    assert_heard(s, then);
}

static void a_message_that_waits_is_offered_again(void **state)
{
    struct stage *s = *state;
    relay_start(s->relay);
    assert_offered_again(s, 'a', "|a", "|aabcd");
    relay_reconnect(s->relay, "the next round", true);
    assert_offered_again(s, 'b', "|ab", "|abbcd"); /* this one came in fragments */
    relay_reconnect(s->relay, "the next round", true);
    assert_offered_again(s, 'c', "|abc", "|abccd");
}

static void a_reconnect_at_once_drops_the_rest(void **state)
{
    struct stage *s = *state;
    s->to = 'b';
    s->answer = (struct relay_answer){RELAY_RECONNECT, .at_once = true, .why = "looking further back"};
    relay_start(s->relay);
    assert_heard(s, "|ab|abc");
    assert_int_equal(relay_connects(s->relay), 2);
}

static void a_reconnect_after_the_back_off_counts_as_a_failure(void **state)
{
    struct stage *s = *state;
    s->to = 'a';
    s->answer = (struct relay_answer){RELAY_RECONNECT, .why = "the relay says ConsumerTooSlow"};
    relay_start(s->relay);
    assert_heard(s, "|af");
    assert_int_equal(relay_state(s->relay), RELAY_BACKOFF);
    assert_string_equal(relay_trouble(s->relay), "the relay says ConsumerTooSlow");
    assert_heard(s, "|af|abc");
    assert_string_equal(relay_trouble(s->relay), "");
}

static void a_stop_says_goodbye_and_hands_nothing_over_any_more(void **state)
{
    struct stage *s = *state;
    s->to = 'b';
    s->answer = (struct relay_answer){.verdict = RELAY_STOP};
    relay_start(s->relay);
    assert_heard(s, "|abs");
    assert_int_equal(s->close_code, WS_CLOSE_NORMAL);
    assert_int_equal(relay_state(s->relay), RELAY_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_are_handed_over_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_that_waits_is_offered_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reconnect_at_once_drops_the_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reconnect_after_the_back_off_counts_as_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_says_goodbye_and_hands_nothing_over_any_more, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
