/* The WebSocket reader: bytes from a peer, in any chunking. The input: a byte with the role and the way of
 * chunking, two of seed, one of message limit; then what the peer sends.
 *
 * What comes out must not depend on how the bytes were cut up, nor on items being put back, nor on where the
 * window lies in memory: the same items, the same end. The window never asks for more than a message, its
 * headers and one read. */
#include "config.h"

#include <string.h>

#include "base/buffer.h"
#include "fuzz.h"
#include "net/websocket.h"

enum { HEADERS = 2 * 14 };

struct run {
    struct buffer log; /* every item, and how it ended */
    struct ws_reader reader;
    uint8_t *window; /* what it holds lies in memory of just its size: one byte further is seen */
    size_t len;
    uint32_t seed;
    bool puts_back;
    bool is_over;
};

static void resize(struct run *run, size_t len)
{
    uint8_t *moved = malloc(len > 0 ? len : 1);
    must(moved != NULL);
    if (run->len > 0 && len > 0)
        memcpy(moved, run->window, run->len < len ? run->len : len);
    free(run->window);
    run->window = moved;
    run->len = len;
}

static void log_item(struct run *run, const struct ws_item *item)
{
    must(item->data >= run->window && item->len <= run->len - (size_t)(item->data - run->window));
    must(item->consumed <= run->len);
    must((item->opcode & 8) != 0 || item->len <= run->reader.max_message);
    buffer_append_byte(&run->log, (uint8_t)item->opcode);
    buffer_append(&run->log, &item->close_code, sizeof item->close_code);
    buffer_append(&run->log, &item->len, sizeof item->len);
    buffer_append(&run->log, item->data, item->len);
}

/* Takes all items that are there. */
static void take(struct run *run)
{
    for (;;) {
        struct ws_item item = {0};
        struct error why = {""};
        size_t before = run->len;
        enum ws_result result = ws_reader_next(&run->reader, run->window, &run->len, &item, &why);
        must(run->len <= before);
        if (result == WS_NEED_MORE) {
            size_t needs = ws_reader_needs(&run->reader, run->window, run->len);
            must(needs > run->len && needs <= run->reader.max_message + HEADERS + 125 + run->len + 1);
            return;
        }
        if (result == WS_VIOLATION) {
            buffer_append_text(&run->log, why.text);
            buffer_append_format(&run->log, "/%d", run->reader.close_code);
            run->is_over = true;
            return;
        }
        if (run->puts_back && next_step(&run->seed) % 2 == 0) {
            ws_reader_put_back(&run->reader, run->window, &item);
            if (next_step(&run->seed) % 2 == 0)
                resize(run, run->len); /* the window may move */
            continue;
        }
        log_item(run, &item);
        memmove(run->window, run->window + item.consumed, run->len - item.consumed);
        run->len -= item.consumed;
    }
}

static void receive(struct run *run, const uint8_t *bytes, size_t n)
{
    size_t held = run->len;
    resize(run, held + n);
    memcpy(run->window + held, bytes, n);
    take(run);
}

static void play(struct run *run, const uint8_t *data, size_t size, unsigned way)
{
    while (size > 0 && !run->is_over) {
        size_t n = way == 0 ? size : way == 1 ? 1 : 1 + next_step(&run->seed) % (way == 2 ? 7 : 200);
        n = n < size ? n : size;
        receive(run, data, n);
        data += n;
        size -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run runs[2];
    uint32_t options = take_number(&data, &size, 1), seed = take_number(&data, &size, 2) | 1;
    size_t limit = take_number(&data, &size, 1) * 8;
    for (int i = 0; i < 2; i++) {
        struct run *run = &runs[i];
        buffer_clear(&run->log);
        ws_reader_init(&run->reader, options & 1 ? WS_SERVER : WS_CLIENT, limit);
        run->len = 0;
        run->is_over = false;
        run->seed = seed;
        run->puts_back = i == 1 && (options & 2);
        play(run, data, size, i == 0 ? 0 : 1 + options / 4 % 3);
    }
    must(runs[0].log.len == runs[1].log.len);
    must(runs[0].log.len == 0 || memcmp(runs[0].log.data, runs[1].log.data, runs[0].log.len) == 0);
    must(runs[0].is_over == runs[1].is_over);
    const struct ws_reader *a = &runs[0].reader, *b = &runs[1].reader;
    if (!runs[0].is_over)
        must(a->in_message == b->in_message && (!a->in_message || a->message_len == b->message_len));
    return 0;
}
