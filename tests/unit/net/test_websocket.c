/* Messages come out of a window of bytes: whole, in fragments, with control frames between them, and after a
 * put-back. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/websocket.h"

enum { WINDOW_BYTES = 256 };

struct window {
    uint8_t bytes[WINDOW_BYTES];
    size_t len;
    struct ws_reader reader;
};

static void add_frame(struct window *w, enum ws_opcode opcode, bool fin, const char *payload)
{
    w->len += ws_server_header(w->bytes + w->len, opcode, fin, strlen(payload));
    memcpy(w->bytes + w->len, payload, strlen(payload));
    w->len += strlen(payload);
}

static void add_fragments(struct window *w)
{
    add_frame(w, WS_BINARY, false, "one ");
    add_frame(w, WS_CONTINUATION, false, "two ");
    add_frame(w, WS_CONTINUATION, true, "three");
}

static struct ws_item next(struct window *w)
{
    struct ws_item item;
    struct error why;
    assert_int_equal(ws_reader_next(&w->reader, w->bytes, &w->len, &item, &why), WS_ITEM);
    return item;
}

static void assert_payload(const struct ws_item *item, const char *payload)
{
    assert_int_equal(item->len, strlen(payload));
    assert_memory_equal(item->data, payload, item->len);
}

/* Drops an item's bytes from the window, as the caller does after using the item. */
static void consume(struct window *w, const struct ws_item *item)
{
    memmove(w->bytes, w->bytes + item->consumed, w->len - item->consumed);
    w->len -= item->consumed;
}

static void assert_needs_more(struct window *w)
{
    struct ws_item item;
    struct error why;
    assert_int_equal(ws_reader_next(&w->reader, w->bytes, &w->len, &item, &why), WS_NEED_MORE);
}

static void begin(struct window *w)
{
    memset(w, 0, sizeof *w);
    ws_reader_init(&w->reader, WS_CLIENT, 100);
}

static void messages_come_one_after_the_other(void **state)
{
    (void)state;
    struct window w;
    begin(&w);
    add_frame(&w, WS_BINARY, true, "first");
    add_fragments(&w);
    add_frame(&w, WS_BINARY, true, "last");
    static const char *const expected[] = {"first", "one two three", "last"};
    for (size_t i = 0; i < 3; i++) {
        struct ws_item item = next(&w);
        assert_payload(&item, expected[i]);
        consume(&w, &item);
    }
    assert_int_equal(w.len, 0);
}

static void message_in_fragments_is_whole_however_it_arrives(void **state)
{
    (void)state;
    struct window all, w;
    begin(&all);
    add_frame(&all, WS_BINARY, false, "one ");
    add_frame(&all, WS_PING, true, "?");
    add_frame(&all, WS_CONTINUATION, true, "two");
    for (size_t first = 1; first < all.len; first++) {
        begin(&w);
        memcpy(w.bytes, all.bytes, first);
        w.len = first;
        struct ws_item item = {0};
        struct error why;
        bool pinged = false, rest = false;
        for (;;) {
            enum ws_result result = ws_reader_next(&w.reader, w.bytes, &w.len, &item, &why);
            assert_int_not_equal(result, WS_VIOLATION);
            if (result == WS_ITEM && item.opcode != WS_PING)
                break;
            pinged = pinged || result == WS_ITEM;
            if (result == WS_NEED_MORE) {
                assert_false(rest);
                rest = true;
                memcpy(w.bytes + w.len, all.bytes + first, all.len - first);
                w.len += all.len - first;
            }
        }
        assert_true(pinged);
        assert_payload(&item, "one two");
        consume(&w, &item);
        assert_int_equal(w.len, 0);
    }
}

/* The headers of the fragments are gone, so the bytes could not be parsed again. Meanwhile the window has grown and
 * moved. */
static void what_was_put_back_is_given_again(void **state)
{
    (void)state;
    struct window w, moved;
    begin(&w);
    add_fragments(&w);
    struct ws_item item = next(&w);
    ws_reader_put_back(&w.reader, w.bytes, &item);
    add_frame(&w, WS_BINARY, true, "behind");
    moved = w;
    memset(&w, 0xff, sizeof w);
    for (int again = 0; again < 2; again++) {
        item = next(&moved);
        assert_payload(&item, "one two three");
        assert_true(item.data >= moved.bytes && item.data < moved.bytes + WINDOW_BYTES);
        if (again == 0)
            ws_reader_put_back(&moved.reader, moved.bytes, &item);
    }
    consume(&moved, &item);
    item = next(&moved);
    assert_payload(&item, "behind");
    consume(&moved, &item);
    assert_needs_more(&moved);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_one_after_the_other),
        cmocka_unit_test(message_in_fragments_is_whole_however_it_arrives),
        cmocka_unit_test(what_was_put_back_is_given_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
