#include "config.h"

#include "serve_options.h"

#include <string.h>

enum {
    MAX_POOL = 10000000,
    MAX_SEND_BUFFER = 1 << 30,
};
static const uint64_t MAX_EVENTS = UINT64_C(1) << 48, MAX_FIRST_SEQ = INT64_MAX / 2;

/* The codes are above every character, so that none is a short option. */
enum option_code {
    OPT_LISTEN = 256,
    OPT_TLS_CERT,
    OPT_TLS_KEY,
    OPT_READY_FILE,
    OPT_STAMP_FILE,
    OPT_SEND_BUFFER,
    OPT_GENERATE,
    OPT_SEED,
    OPT_POOL,
    OPT_FIRST_SEQ,
    OPT_LOOP,
    OPT_COUNT,
    OPT_CLOSE_AFTER,
    OPT_RATE,
    OPT_BACKLOG,
    OPT_FRAGMENT,
    OPT_NOW,
    OPT_NO_NOW,
    OPT_CURSOR_CONVENTION,
    OPT_FUTURE_CURSOR,
    OPT_OLDEST_SEQ,
    OPT_SLOW_LIMIT,
    OPT_DROP_AFTER,
    OPT_STALL_AFTER,
    OPT_GARBLE_AFTER,
    OPT_DROP_TIMES,
    OPT_STALL_TIMES,
    OPT_GARBLE_TIMES,
    OPT_REPEAT_EVERY,
    OPT_ACCEPT_THEN_CLOSE,
    OPT_HTTP_STATUS,
};

static const struct option longs[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"tls-cert", required_argument, NULL, OPT_TLS_CERT},
    {"tls-key", required_argument, NULL, OPT_TLS_KEY},
    {"ready-file", required_argument, NULL, OPT_READY_FILE},
    {"stamp-file", required_argument, NULL, OPT_STAMP_FILE},
    {"send-buffer", required_argument, NULL, OPT_SEND_BUFFER},
    {"generate", no_argument, NULL, OPT_GENERATE},
    {"seed", required_argument, NULL, OPT_SEED},
    {"pool", required_argument, NULL, OPT_POOL},
    {"first-seq", required_argument, NULL, OPT_FIRST_SEQ},
    {"loop", no_argument, NULL, OPT_LOOP},
    {"count", required_argument, NULL, OPT_COUNT},
    {"close-after", no_argument, NULL, OPT_CLOSE_AFTER},
    {"rate", required_argument, NULL, OPT_RATE},
    {"backlog", required_argument, NULL, OPT_BACKLOG},
    {"fragment", no_argument, NULL, OPT_FRAGMENT},
    {"now", no_argument, NULL, OPT_NOW},
    {"no-now", no_argument, NULL, OPT_NO_NOW},
    {"cursor-convention", required_argument, NULL, OPT_CURSOR_CONVENTION},
    {"future-cursor", required_argument, NULL, OPT_FUTURE_CURSOR},
    {"oldest-seq", required_argument, NULL, OPT_OLDEST_SEQ},
    {"slow-limit", required_argument, NULL, OPT_SLOW_LIMIT},
    {"drop-after", required_argument, NULL, OPT_DROP_AFTER},
    {"stall-after", required_argument, NULL, OPT_STALL_AFTER},
    {"garble-after", required_argument, NULL, OPT_GARBLE_AFTER},
    {"drop-times", required_argument, NULL, OPT_DROP_TIMES},
    {"stall-times", required_argument, NULL, OPT_STALL_TIMES},
    {"garble-times", required_argument, NULL, OPT_GARBLE_TIMES},
    {"repeat-every", required_argument, NULL, OPT_REPEAT_EVERY},
    {"accept-then-close", required_argument, NULL, OPT_ACCEPT_THEN_CLOSE},
    {"http-status", required_argument, NULL, OPT_HTTP_STATUS},
    OPTION_HELP,
    OPTION_END,
};

static const char *name_of(int code)
{
    static char name[32] = "--";
    for (const struct option *o = longs; o->name != NULL; o++)
        if (o->val == code)
            strncpy(name + 2, o->name, sizeof name - 3);
    return name;
}

static uint64_t number(int code, uint64_t min, uint64_t max)
{
    return option_number(&serve_command, name_of(code), optarg, min, max);
}

/* Returns true for the second of two words, and false for the first. */
static bool is_second(int code, const char *first, const char *second)
{
    if (strcmp(optarg, first) == 0)
        return false;
    if (strcmp(optarg, second) != 0)
        usage_error(&serve_command, "%s %s: expected %s or %s", name_of(code), optarg, first, second);
    return true;
}

static void set_after(struct fault *f, int code)
{
    f->is_set = true;
    f->after = number(code, 0, MAX_EVENTS);
}

static bool take_place(struct serve_options *o, int code)
{
    switch (code) {
    case OPT_LISTEN: o->listen = optarg; return true;
    case OPT_TLS_CERT: o->cert_file = optarg; return true;
    case OPT_TLS_KEY: o->key_file = optarg; return true;
    case OPT_READY_FILE: o->ready_file = optarg; return true;
    case OPT_STAMP_FILE: o->stamp_file = optarg; return true;
    case OPT_SEND_BUFFER: o->send_buffer = (int)number(code, 1, MAX_SEND_BUFFER); return true;
    default: return false;
    }
}

/* What the command line says about generated frames, and about the time that frames carry. */
struct content {
    bool is_generated, wants_now, wants_own_time;
};

static bool take_content(struct serve_options *o, struct content *content, int code)
{
    struct sequence_options *s = &o->sequence;
    switch (code) {
    case OPT_GENERATE: content->is_generated = true; return true;
    case OPT_NOW: content->wants_now = true; return true;
    case OPT_NO_NOW: content->wants_own_time = true; return true;
    case OPT_SEED: o->generator.seed = number(code, 0, UINT64_MAX); return true;
    case OPT_POOL: o->pool = number(code, 1, MAX_POOL); return true;
    case OPT_FIRST_SEQ: s->first_seq = optional_of((int64_t)number(code, 0, MAX_FIRST_SEQ)); return true;
    case OPT_LOOP: s->is_repeated = true; return true;
    case OPT_COUNT: s->max_events = number(code, 1, MAX_EVENTS); return true;
    case OPT_CLOSE_AFTER: o->close_after = true; return true;
    case OPT_RATE: o->rate = option_rate(&serve_command, name_of(code), optarg); return true;
    case OPT_BACKLOG: o->backlog = number(code, 0, MAX_EVENTS); return true;
    case OPT_FRAGMENT: o->fragment = true; return true;
    default: return false;
    }
}

static bool take_cursor(struct serve_options *o, int code)
{
    switch (code) {
    case OPT_CURSOR_CONVENTION: o->cursor_from = is_second(code, "after", "from"); return true;
    case OPT_FUTURE_CURSOR: o->future_error = is_second(code, "live", "error"); return true;
    case OPT_OLDEST_SEQ: o->oldest_seq = number(code, 0, INT64_MAX); return true;
    case OPT_SLOW_LIMIT: o->slow_limit = number(code, 1, MAX_EVENTS); return true;
    default: return false;
    }
}

static void take_fault(struct faults *f, int code)
{
    switch (code) {
    case OPT_DROP_AFTER: set_after(&f->drop, code); break;
    case OPT_STALL_AFTER: set_after(&f->stall, code); break;
    case OPT_GARBLE_AFTER: set_after(&f->garble, code); break;
    case OPT_DROP_TIMES: f->drop.times = number(code, 0, MAX_EVENTS); break;
    case OPT_STALL_TIMES: f->stall.times = number(code, 0, MAX_EVENTS); break;
    case OPT_GARBLE_TIMES: f->garble.times = number(code, 0, MAX_EVENTS); break;
    case OPT_REPEAT_EVERY: f->repeat_every = number(code, 1, MAX_EVENTS); break;
    case OPT_ACCEPT_THEN_CLOSE: f->accept_then_close = number(code, 0, MAX_EVENTS); break;
    case OPT_HTTP_STATUS:
        if (!faults_parse_http(f, optarg))
            usage_error(&serve_command, "%s %s: expected CODE or CODE:TIMES", name_of(code), optarg);
        break;
    default: break;
    }
}

static void check(const struct serve_options *o, const struct content *content)
{
    if (content->is_generated && o->capture != NULL)
        usage_error(&serve_command, "both --generate and a CAPTURE");
    if (!content->is_generated && o->capture == NULL)
        usage_error(&serve_command, "neither CAPTURE nor --generate");
    if (content->wants_now && content->wants_own_time)
        usage_error(&serve_command, "both --now and --no-now");
    if ((o->cert_file == NULL) != (o->key_file == NULL))
        usage_error(&serve_command, "--tls-cert and --tls-key go together");
    if (o->rate <= 0 && (o->slow_limit > 0 || o->backlog > 0))
        usage_error(&serve_command, "--slow-limit and --backlog go with --rate");
}

void serve_options_parse(int argc, char **argv, struct serve_options *o)
{
    struct content content = {0};
    *o = (struct serve_options){.listen = "127.0.0.1:0", .generator = GENERATOR_DEFAULTS, .pool = 2000};
    o->faults.drop.times = o->faults.stall.times = o->faults.garble.times = FAULT_FOR_EVER;
    for (int code; (code = option_next(&serve_command, argc, argv, longs)) != -1;)
        if (!take_place(o, code) && !take_content(o, &content, code) && !take_cursor(o, code))
            take_fault(&o->faults, code);
    if (argc - optind > 1)
        usage_error(&serve_command, "more than one CAPTURE");
    o->capture = optind < argc ? argv[optind] : NULL;
    check(o, &content);
    o->sequence.is_repeated |= content.is_generated;
    o->stamps_now = content.wants_now || (content.is_generated && !content.wants_own_time);
}
