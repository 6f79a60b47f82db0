/* decode-frames: what the atproto room makes of captured frames, one line of JSON each. For the system tests,
 * which hold it against an independent decoder.
 *
 *   decode-frames [--extended] [--record] [--stream] [capture]
 *
 * A capture is repeated [u32 little-endian length][frame]; without a file name it is read from stdin. With
 * --record each entry is a bare DAG-CBOR item instead, handed to record_append_json(). With --stream every
 * line is flushed before the next frame is read, so that one process can answer frame by frame. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "atproto/event_json.h"
#include "atproto/record_json.h"
#include "base/json_text.h"
#include "reference.h"

enum { MAX_FRAME = 64 << 20 };

static struct {
    bool extended, record, stream;
} options;

static void die(const char *what)
{
    fprintf(stderr, "decode-frames: %s\n", what);
    exit(1);
}

static void append_slice(struct buffer *b, const char *name, struct slice s)
{
    buffer_append_format(b, ",\"%s\":", name);
    if (s.ptr == NULL)
        buffer_append_literal(b, "null");
    else
        json_append_string(b, s.ptr, s.len);
}

static void append_violation(struct buffer *b, const struct violation *v)
{
    buffer_append_format(b, ",\"rule\":\"%s\",\"offset\":%zu", v->rule, v->offset);
}

static void append_peek(struct buffer *b, const uint8_t *frame, size_t len)
{
    struct frame_peek peek;
    struct violation why;
    buffer_append_literal(b, ",\"peek\":{");
    if (!frame_peek(frame, len, &peek, &why)) {
        buffer_append_literal(b, "\"ok\":false");
        append_violation(b, &why);
    } else {
        buffer_append_format(b, "\"ok\":true,\"kind\":\"%s\",\"seq\":", frame_kind_name(peek.kind));
        if (peek.has_seq)
            buffer_append_signed(b, peek.seq);
        else
            buffer_append_literal(b, "null");
        append_slice(b, "did", peek.did);
        append_slice(b, "name", peek.name);
        append_slice(b, "message", peek.message);
        append_slice(b, "action", peek.action);
        append_slice(b, "path", peek.path);
    }
    buffer_append_byte(b, '}');
}

static void append_drops(struct buffer *b, const struct event *event)
{
    buffer_append_literal(b, ",\"dropped\":{");
    for (int i = 0; i < OP_DROPS; i++)
        buffer_append_format(b, "%s\"%s\":%u", i > 0 ? "," : "", op_drop_name((enum op_drop)i),
                             event->dropped[i]);
    buffer_append_byte(b, '}');
    if (event->has_drop) {
        buffer_append_format(b, ",\"first_drop\":{\"op\":%zu,\"reason\":\"%s\"", event->first_drop_op,
                             op_drop_name(event->first_drop));
        append_violation(b, &event->first_drop_why);
        buffer_append_byte(b, '}');
    }
}

/* What the reference in C says against it (tests/reference/). */
static void append_disagreement(struct buffer *b, const char *wrong)
{
    buffer_append_literal(b, ",\"disagreement\":");
    if (wrong != NULL)
        json_append_string(b, wrong, strlen(wrong));
    else
        buffer_append_literal(b, "null");
}

static void describe_frame(struct event_encoder *e, const uint8_t *frame, size_t len, struct buffer *b)
{
    static const char *const outcomes[] = {"ready", "filtered", "refused"};
    static struct event event;
    struct buffer data;
    buffer_init(&data);
    enum event_outcome outcome = event_encode(e, frame, len, &data, &event);
    buffer_append_format(b, "{\"outcome\":\"%s\"", outcomes[outcome]);
    if (outcome == EVENT_REFUSED) {
        append_violation(b, &event.violation);
        if (data.len > 0)
            die("a refused frame left output behind");
    } else {
        buffer_append_format(b, ",\"kind\":\"%s\",\"seq\":%lld", frame_kind_name(event.frame.kind),
                             (long long)event.frame.seq);
        append_slice(b, "did", event.frame.did);
        append_drops(b, &event);
    }
    buffer_append_literal(b, ",\"data\":");
    if (outcome == EVENT_READY)
        buffer_append(b, data.data, data.len);
    else
        buffer_append_literal(b, "null");
    append_peek(b, frame, len);
    append_disagreement(b, reference_disagrees(frame, len, options.extended, outcome, &event, data.data, data.len));
    buffer_append_literal(b, "}\n");
    buffer_fini(&data);
}

static void describe_record(const uint8_t *item, size_t len, struct buffer *b)
{
    struct cbor_reader r;
    struct buffer data;
    bool has_type;
    buffer_init(&data);
    cbor_reader_init(&r, item, len);
    bool ok = record_append_json(&r, &data, &has_type) &&
              (r.at == r.end || cbor_fail(&r, "bytes behind the record"));
    if (ok) {
        buffer_append_format(b, "{\"ok\":true,\"has_type\":%s,\"data\":", has_type ? "true" : "false");
        buffer_append(b, data.data, data.len);
    } else {
        buffer_append_literal(b, "{\"ok\":false");
        append_violation(b, &r.violation);
    }
    buffer_append_literal(b, "}\n");
    buffer_fini(&data);
}

/* The next entry, in memory of exactly its size, so that a sanitizer sees one byte too many. */
static uint8_t *read_entry(FILE *in, size_t *len)
{
    uint8_t head[4];
    size_t n = fread(head, 1, sizeof head, in);
    if (n == 0)
        return NULL;
    *len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    if (n < sizeof head || *len > MAX_FRAME)
        die("not a capture");
    uint8_t *entry = malloc(*len > 0 ? *len : 1);
    if (entry == NULL)
        die("out of memory");
    if (fread(entry, 1, *len, in) != *len)
        die("the capture ends in the middle of a frame");
    return entry;
}

static void describe_all(struct event_encoder *e, FILE *in)
{
    struct buffer line;
    uint8_t *entry;
    size_t len;
    buffer_init(&line);
    while ((entry = read_entry(in, &len)) != NULL) {
        buffer_clear(&line);
        if (options.record)
            describe_record(entry, len, &line);
        else
            describe_frame(e, entry, len, &line);
        fwrite(line.data, 1, line.len, stdout);
        if (options.stream)
            fflush(stdout);
        free(entry);
    }
    buffer_fini(&line);
}

static void parse_options(int argc, char **argv)
{
    static const struct option longs[] = {
        {"extended", no_argument, NULL, 'e'},
        {"record", no_argument, NULL, 'r'},
        {"stream", no_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "ers", longs, NULL)) != -1) {
        if (c == 'e')
            options.extended = true;
        else if (c == 'r')
            options.record = true;
        else if (c == 's')
            options.stream = true;
        else
            die("usage: decode-frames [--extended] [--record] [--stream] [capture]");
    }
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    FILE *in = optind < argc ? fopen(argv[optind], "rb") : stdin;
    if (in == NULL)
        die("cannot open the capture");
    struct event_encoder *e =
        event_encoder_new(options.extended ? EVENT_FORMAT_EXTENDED : EVENT_FORMAT_COMPAT);
    if (e == NULL)
        die("out of memory");
    describe_all(e, in);
    event_encoder_free(e);
    if (in != stdin)
        fclose(in);
    return fflush(stdout) == 0 ? 0 : 1;
}
