#include "config.h"

#include "generate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "atproto/frame.h"
#include "base/clock.h"
#include "capture.h"
#include "cbor_write.h"
#include "commit_make.h"
#include "options.h"
#include "poison.h"

enum { MAX_DIDS = 10000000 };

struct generator {
    struct generator_options options;
    struct repo_model model;
    struct commit_maker commits;
    uint64_t seq;
    uint64_t made;
};

struct generator *generator_new(const struct generator_options *options)
{
    struct generator *g = calloc(1, sizeof *g);
    if (g == NULL)
        return NULL;
    g->options = *options;
    g->seq = options->first_seq;
    bool ok = repo_model_init(&g->model, options->seed, options->dids);
    if (!commit_maker_init(&g->commits, &g->model) || !ok) {
        generator_free(g);
        return NULL;
    }
    return g;
}

void generator_free(struct generator *g)
{
    if (g == NULL)
        return;
    commit_maker_fini(&g->commits);
    repo_model_fini(&g->model);
    free(g);
}

/* ---- small events ---- */

static void identity_append(struct generator *g, struct buffer *out)
{
    struct dice *d = &g->model.dice;
    const char *did = repo_model_pick(&g->model)->did;
    char time[CLOCK_TEXT_BYTES], handle[64];
    bool has_handle = dice_permille(d, 700);
    snprintf(handle, sizeof handle, "%.10s.bsky.social", did + 8);
    clock_format_utc((int64_t)g->model.now_us, time);
    frame_header_append("#identity", out);
    cbor_write_map(out, has_handle ? 4 : 3);
    cbor_pair_text(out, "did", did);
    cbor_pair_int(out, "seq", (int64_t)g->seq);
    cbor_pair_text(out, "time", time);
    if (has_handle)
        cbor_pair_text(out, "handle", dice_permille(d, 50) ? "handle.invalid" : handle);
}

static void account_append(struct generator *g, struct buffer *out)
{
    static const char *const statuses[] = {"takendown",   "suspended",      "deleted",
                                           "deactivated", "desynchronized", "throttled"};
    struct dice *d = &g->model.dice;
    char time[CLOCK_TEXT_BYTES];
    bool active = dice_permille(d, 500);
    clock_format_utc((int64_t)g->model.now_us, time);
    frame_header_append("#account", out);
    cbor_write_map(out, active ? 4 : 5);
    cbor_pair_text(out, "did", repo_model_pick(&g->model)->did);
    cbor_pair_int(out, "seq", (int64_t)g->seq);
    cbor_pair_text(out, "time", time);
    cbor_pair_bool(out, "active", active);
    if (!active)
        cbor_pair_text(out, "status", dice_pick(d, statuses));
}

/* ---- the mix ---- */

static bool has_seq(const struct buffer *frame)
{
    struct frame_peek peek;
    struct violation why;
    return frame_peek(frame->data, frame->len, &peek, &why) && peek.has_seq;
}

void generator_next(struct generator *g, struct buffer *frame)
{
    buffer_clear(frame);
    repo_model_tick(&g->model);
    uint32_t at = dice_below(&g->model.dice, 1000);
    if (at < 4)
        identity_append(g, frame);
    else if (at < 8)
        account_append(g, frame);
    else if (at < 10)
        sync_append(&g->commits, g->seq, frame);
    else
        commit_append(&g->commits, g->seq, frame);
    g->made++;
    bool is_poison = g->options.poison_every > 0 && g->made % g->options.poison_every == 0;
    if (is_poison && !frame->failed)
        poison_frame(frame, &g->model.dice);
    if (!frame->failed && (!is_poison || has_seq(frame)))
        g->seq++;
}

bool generator_capture(const struct generator_options *options, uint64_t count, struct buffer *capture)
{
    struct generator *g = generator_new(options);
    struct buffer frame;
    buffer_init(&frame);
    bool ok = g != NULL;
    for (uint64_t i = 0; ok && i < count; i++) {
        generator_next(g, &frame);
        ok = !frame.failed;
        if (ok)
            capture_append(capture, frame.data, frame.len);
    }
    buffer_fini(&frame);
    generator_free(g);
    return ok && !capture->failed;
}

/* ---- the command ---- */

struct generate_options {
    struct generator_options generator;
    uint64_t count;
    const char *path;
    bool may_replace;
};

static void parse(int argc, char **argv, struct generate_options *o)
{
    static const struct option longs[] = {
        {"count", required_argument, NULL, 'n'},     {"seed", required_argument, NULL, 's'},
        {"first-seq", required_argument, NULL, 'f'}, {"dids", required_argument, NULL, 'd'},
        {"poison", required_argument, NULL, 'p'},    {"force", no_argument, NULL, 'F'},
        OPTION_HELP,                                 OPTION_END,
    };
    const struct command *me = &generate_command;
    *o = (struct generate_options){.generator = GENERATOR_DEFAULTS, .count = 10000};
    for (int c; (c = option_next(me, argc, argv, longs)) != -1;) {
        if (c == 'n')
            o->count = option_number(me, "--count", optarg, 0, UINT32_MAX);
        else if (c == 's')
            o->generator.seed = option_number(me, "--seed", optarg, 0, UINT64_MAX);
        else if (c == 'f')
            o->generator.first_seq = option_number(me, "--first-seq", optarg, 0, INT64_MAX / 2);
        else if (c == 'F')
            o->may_replace = true;
        else if (c == 'd')
            o->generator.dids = option_number(me, "--dids", optarg, 1, MAX_DIDS);
        else
            o->generator.poison_every = option_number(me, "--poison", optarg, 1, UINT32_MAX);
    }
    if (optind != argc - 1)
        usage_error(me, "expected one FILE to write to");
    o->path = argv[optind];
}

static bool write_frames(const struct generate_options *o, struct capture_writer *w, struct error *why)
{
    struct generator *g = generator_new(&o->generator);
    struct buffer frame;
    buffer_init(&frame);
    bool ok = g != NULL;
    error_set(why, "out of memory");
    for (uint64_t i = 0; ok && i < o->count; i++) {
        generator_next(g, &frame);
        ok = !frame.failed && capture_write(w, frame.data, frame.len, why);
    }
    buffer_fini(&frame);
    generator_free(g);
    return ok;
}

static int run(int argc, char **argv)
{
    struct generate_options o;
    struct capture_writer w;
    struct error why;
    parse(argc, argv, &o);
    bool ok = capture_create(&w, o.path, o.may_replace, &why) && write_frames(&o, &w, &why);
    ok = w.file != NULL && capture_finish(&w, ok ? &why : &(struct error){0}) && ok;
    if (!ok) {
        say(&generate_command, "%s", why.text);
        return EXIT_FAILED;
    }
    say(&generate_command, "%" PRIu64 " frames, %" PRIu64 " bytes, %.0f bytes a frame", w.frames, w.bytes,
        w.frames > 0 ? (double)w.bytes / (double)w.frames : 0.0);
    return EXIT_DONE;
}

const struct command generate_command = {
    .name = "generate",
    .summary = "make a capture of frames like those of the real network, from a seed",
    .usage = "generate FILE [OPTION]…",
    .help = "  --count N      frames (10000)\n"
            "  --seed N       the same seed makes the same bytes (1)\n"
            "  --first-seq N  sequence number of the first frame (31000000001)\n"
            "  --dids N       repositories (1000)\n"
            "  --poison N     spoil every N-th frame, in one of several ways\n"
            "  --force        replace FILE if it is there\n",
    .run = run,
};
