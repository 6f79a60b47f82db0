/* inspect.c: prints the frames of a capture, for people as one line each, or for scripts as one JSON object each.
 *
 * It decodes frames with the code of firehosed's workers. So firehosed writes a frame that is malformed here to the
 * dead letters, with the same reason. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "atproto/event_json.h"
#include "base/json_text.h"
#include "capture.h"
#include "inspect_summary.h"
#include "options.h"

struct inspect_options {
    const char *path;
    bool json, summary;
};

struct inspection {
    const struct inspect_options *options;
    struct capture capture;
    struct event_encoder *encoder;
    struct event event;
    struct buffer json; /* of the event; not shown */
    struct buffer line;
    struct summary summary;
};

static const char *const actions[] = {[OP_CREATE] = "create", [OP_UPDATE] = "update", [OP_DELETE] = "delete"};

/* ---- a line of text ---- */

/* Appends text of strangers for a terminal, with '?' for control characters. */
static void append_shown(struct buffer *b, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        buffer_append_byte(b, s.ptr[i] < 0x20 || s.ptr[i] == 0x7f ? '?' : s.ptr[i]);
}

static void append_seq_text(struct buffer *b, bool has_seq, int64_t seq)
{
    if (has_seq)
        buffer_append_signed(b, seq);
    else
        buffer_append_byte(b, '-');
}

static bool has_seq(const struct frame *f)
{
    return f->kind != FRAME_INFO && f->kind != FRAME_ERROR && (f->kind != FRAME_UNKNOWN || f->seq > 0);
}

static void append_frame_text(struct buffer *b, const struct event *event, size_t len)
{
    const struct frame *f = &event->frame;
    append_seq_text(b, has_seq(f), f->seq);
    buffer_append_format(b, " %s ", frame_kind_name(f->kind));
    if (f->did.len > 0)
        append_shown(b, f->did);
    else
        append_shown(b, f->name.len > 0 ? f->name : (struct slice){(const uint8_t *)"-", 1});
    for (size_t i = 0; i < f->op_count; i++) {
        buffer_append_format(b, "%s%s ", i > 0 ? ", " : " ", actions[f->ops[i].action]);
        append_shown(b, f->ops[i].path);
    }
    buffer_append_format(b, " %zu bytes", len);
    if (event->has_drop)
        buffer_append_format(b, " (op %zu: %s, %s at byte %zu)", event->first_drop_op, op_drop_name(event->first_drop),
                             event->first_drop_why.rule, event->first_drop_why.offset);
}

static void append_malformed_text(struct buffer *b, const struct frame_peek *peek, const struct violation *why,
                                  size_t len)
{
    append_seq_text(b, peek->has_seq, peek->seq);
    buffer_append_format(b, " malformed %s at byte %zu, %zu bytes", why->rule, why->offset, len);
}

/* ---- a line of JSON ---- */

static void append_text_pair(struct buffer *b, const char *key, struct slice value)
{
    if (value.ptr == NULL)
        return;
    buffer_append_format(b, ",\"%s\":", key);
    json_append_string(b, value.ptr, value.len);
}

static void append_ops_json(struct buffer *b, const struct frame *f)
{
    buffer_append_literal(b, ",\"ops\":[");
    for (size_t i = 0; i < f->op_count; i++) {
        buffer_append_format(b, "%s{\"action\":\"%s\"", i > 0 ? "," : "", actions[f->ops[i].action]);
        append_text_pair(b, "path", f->ops[i].path);
        buffer_append_byte(b, '}');
    }
    buffer_append_byte(b, ']');
}

static void append_seq_json(struct buffer *b, bool has, int64_t seq)
{
    buffer_append_literal(b, "{\"seq\":");
    if (has)
        buffer_append_signed(b, seq);
    else
        buffer_append_literal(b, "null");
}

static void append_frame_json(struct buffer *b, const struct event *event, size_t len)
{
    const struct frame *f = &event->frame;
    append_seq_json(b, has_seq(f), f->seq);
    buffer_append_format(b, ",\"kind\":\"%s\"", frame_kind_name(f->kind));
    append_text_pair(b, "did", f->did);
    append_text_pair(b, "name", f->name);
    append_text_pair(b, "message", f->message);
    if (f->kind == FRAME_COMMIT)
        append_ops_json(b, f);
    if (event->has_drop)
        buffer_append_format(b, ",\"dropped\":{\"op\":%zu,\"reason\":\"%s\",\"rule\":\"%s\",\"offset\":%zu}",
                             event->first_drop_op, op_drop_name(event->first_drop), event->first_drop_why.rule,
                             event->first_drop_why.offset);
    buffer_append_format(b, ",\"size\":%zu}", len);
}

static void append_malformed_json(struct buffer *b, const struct frame_peek *peek, const struct violation *why,
                                  size_t len)
{
    append_seq_json(b, peek->has_seq, peek->seq);
    buffer_append_format(b, ",\"kind\":\"malformed\",\"rule\":\"%s\",\"offset\":%zu,\"size\":%zu}", why->rule,
                         why->offset, len);
}

/* ---- frame by frame ---- */

static void show(struct inspection *in, bool is_good, const struct capture_frame *frame)
{
    struct buffer *b = &in->line;
    struct frame_peek peek;
    struct violation unused;
    buffer_clear(b);
    if (is_good) {
        (in->options->json ? append_frame_json : append_frame_text)(b, &in->event, frame->len);
    } else {
        frame_peek(frame->bytes, frame->len, &peek, &unused); /* fills what it can read */
        (in->options->json ? append_malformed_json : append_malformed_text)(b, &peek, &in->event.violation,
                                                                            frame->len);
    }
    buffer_append_byte(b, '\n');
    fwrite(b->data, 1, b->len, stdout);
}

static void inspect_frame(struct inspection *in, const struct capture_frame *frame)
{
    buffer_clear(&in->json);
    bool is_good = event_encode(in->encoder, frame->bytes, frame->len, &in->json, &in->event) != EVENT_REFUSED;
    if (in->options->summary)
        summary_add(&in->summary, frame->len, is_good ? &in->event : NULL);
    else
        show(in, is_good, frame);
}

static bool inspect(struct inspection *in, struct error *why)
{
    in->encoder = event_encoder_new(EVENT_FORMAT_EXTENDED);
    if (in->encoder == NULL) {
        error_set(why, "out of memory");
        return false;
    }
    for (size_t i = 0; i < in->capture.count && !ferror(stdout); i++)
        inspect_frame(in, &in->capture.frames[i]);
    if (in->options->summary)
        summary_print(&in->summary, in->options->json);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        error_set(why, "standard output: %s", strerror(errno));
        return false;
    }
    return true;
}

/* ---- the command ---- */

static void parse(int argc, char **argv, struct inspect_options *o)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},
        {"summary", no_argument, NULL, 's'},
        OPTION_HELP,
        OPTION_END,
    };
    *o = (struct inspect_options){0};
    for (int c; (c = option_next(&inspect_command, argc, argv, longs)) != -1;) {
        o->json |= c == 'j';
        o->summary |= c == 's';
    }
    if (optind != argc - 1)
        usage_error(&inspect_command, "expected one FILE");
    o->path = argv[optind];
}

static int run(int argc, char **argv)
{
    struct inspect_options o;
    static struct inspection in; /* static, because an event is too large for the stack */
    struct error why, truncation;
    parse(argc, argv, &o);
    in.options = &o;
    if (!capture_open(&in.capture, o.path, &truncation)) {
        say(&inspect_command, "%s", truncation.text);
        return EXIT_FAILED;
    }
    bool is_whole = !in.capture.is_truncated, ok = inspect(&in, &why);
    if (!ok)
        say(&inspect_command, "%s", why.text);
    if (!is_whole)
        say(&inspect_command, "%s", truncation.text);
    summary_fini(&in.summary);
    buffer_fini(&in.json);
    buffer_fini(&in.line);
    event_encoder_free(in.encoder);
    capture_close(&in.capture);
    return ok && is_whole ? EXIT_DONE : EXIT_FAILED;
}

const struct command inspect_command = {
    .name = "inspect",
    .summary = "show the frames of a capture, one on each line",
    .usage = "inspect FILE [OPTION]…",
    .help = "  --json     one JSON object on each line\n"
            "  --summary  totals by kind and collection instead\n",
    .run = run,
};
