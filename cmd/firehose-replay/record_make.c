#include "config.h"

#include "record_make.h"

#include <string.h>

#include "base/clock.h"
#include "cbor_write.h"
#include "post_make.h"

/* Likes and reposts. Some have a reference to the repost through which the user came ("via"). */
static void append_reaction(struct record_maker *r, const char *type, struct buffer *out)
{
    bool has_via = dice_permille(&r->model->dice, 120);
    cbor_write_map(out, has_via ? 4 : 3);
    if (has_via) {
        cbor_write_text(out, "via");
        strong_ref_append(r, "app.bsky.feed.repost", out);
    }
    cbor_pair_text(out, "$type", type);
    cbor_write_text(out, "subject");
    strong_ref_append(r, "app.bsky.feed.post", out);
    created_at_append(r, out);
}

/* Follows and blocks. */
static void append_relation(struct record_maker *r, const char *type, struct buffer *out)
{
    cbor_write_map(out, 3);
    cbor_pair_text(out, "$type", type);
    cbor_pair_text(out, "subject", repo_model_pick(r->model)->did);
    created_at_append(r, out);
}

static void append_profile(struct record_maker *r, const char *type, struct buffer *out)
{
    cbor_write_map(out, 5);
    cbor_pair_text(out, "$type", type);
    cbor_write_text(out, "avatar");
    blob_append(r, "image/jpeg", out);
    created_at_append(r, out);
    words_pair_append(r, "description", dice_between(&r->model->dice, 3, 20), out);
    words_pair_append(r, "displayName", 2, out);
}

static void append_list(struct record_maker *r, const char *type, struct buffer *out)
{
    cbor_write_map(out, 5);
    words_pair_append(r, "name", 2, out);
    cbor_pair_text(out, "$type", type);
    cbor_pair_text(out, "purpose", "app.bsky.graph.defs#curatelist");
    created_at_append(r, out);
    words_pair_append(r, "description", 8, out);
}

static void append_list_item(struct record_maker *r, const char *type, struct buffer *out)
{
    char uri[AT_URI_BYTES];
    random_at_uri(r->model, "app.bsky.graph.list", uri);
    cbor_write_map(out, 4);
    cbor_pair_text(out, "list", uri);
    cbor_pair_text(out, "$type", type);
    cbor_pair_text(out, "subject", repo_model_pick(r->model)->did);
    created_at_append(r, out);
}

static void append_threadgate(struct record_maker *r, const char *type, struct buffer *out)
{
    char uri[AT_URI_BYTES];
    bool open = dice_permille(&r->model->dice, 500);
    random_at_uri(r->model, "app.bsky.feed.post", uri);
    cbor_write_map(out, 5);
    cbor_pair_text(out, "post", uri);
    cbor_pair_text(out, "$type", type);
    cbor_write_text(out, "allow"); /* an empty list means nobody */
    cbor_write_array(out, open ? 1 : 0);
    if (open) {
        cbor_write_map(out, 1);
        cbor_pair_text(out, "$type", "app.bsky.feed.threadgate#mentionRule");
    }
    created_at_append(r, out);
    cbor_write_text(out, "hiddenReplies");
    cbor_write_array(out, 0);
}

static void append_play(struct record_maker *r, const char *type, struct buffer *out)
{
    char time[CLOCK_TEXT_BYTES];
    clock_format_utc((int64_t)r->model->now_us, time);
    cbor_write_map(out, 6);
    cbor_pair_text(out, "$type", type);
    cbor_write_text(out, "artists");
    cbor_write_array(out, 1);
    cbor_write_map(out, 1);
    words_pair_append(r, "artistName", 2, out);
    cbor_pair_int(out, "duration", dice_between(&r->model->dice, 90, 600));
    words_pair_append(r, "trackName", 3, out);
    cbor_pair_text(out, "playedTime", time);
    cbor_write_text(out, "releaseMbId");
    cbor_write_null(out);
}

static void append_numbers(struct dice *d, struct buffer *out)
{
    static const int64_t numbers[] = {0, -1, 23, 24, 255, 256, 65536, 4294967296, 9007199254740993, -9007199254740993,
                                      INT64_MAX, INT64_MIN, 1767225600000000};
    cbor_write_array(out, 3);
    for (int i = 0; i < 3; i++)
        cbor_write_int(out, dice_pick(d, numbers));
}

/* Values that no lexicon of Bluesky has: bytes, large numbers, links, empty items, deep nesting. */
static void append_sample(struct record_maker *r, const char *type, struct buffer *out)
{
    struct dice *d = &r->model->dice;
    uint8_t bytes[40], cid[CID_BYTES];
    dice_bytes(d, bytes, sizeof bytes);
    random_cid(d, CID_CODEC_DAG_CBOR, cid);
    cbor_write_map(out, 8);
    cbor_write_text(out, ""); /* a key may be empty */
    cbor_write_map(out, 0);
    cbor_write_text(out, "raw");
    cbor_write_bytes(out, bytes, dice_below(d, sizeof bytes));
    cbor_pair_link(out, "link", cid);
    cbor_pair_text(out, "$type", type);
    cbor_pair_bool(out, "final", dice_permille(d, 500));
    unsigned depth = dice_between(d, 1, 12);
    cbor_write_text(out, "nested");
    for (unsigned i = 0; i < depth; i++)
        cbor_write_array(out, 1);
    cbor_write_array(out, 0);
    words_pair_append(r, "größe", 1, out); /* seven bytes */
    cbor_write_text(out, "numbers");
    append_numbers(d, out);
}

/* ---- the table ---- */

/* Appends a record whose $type is `type`. */
typedef void append_record(struct record_maker *r, const char *type, struct buffer *out);

static void append_post(struct record_maker *r, const char *type, struct buffer *out)
{
    (void)type;
    post_append(r, out);
}

static const struct kind {
    const char *collection;
    uint32_t per_10000;
    append_record *append;
} kinds[] = {
    {"app.bsky.feed.like", 7000, append_reaction},
    {"app.bsky.feed.post", 1200, append_post},
    {"app.bsky.feed.repost", 1000, append_reaction},
    {"app.bsky.graph.follow", 600, append_relation},
    {"app.bsky.graph.block", 50, append_relation},
    {"app.bsky.graph.listitem", 40, append_list_item},
    {"app.bsky.actor.profile", 30, append_profile},
    {"fm.teal.alpha.feed.play", 30, append_play},
    {"app.bsky.feed.threadgate", 20, append_threadgate},
    {"app.bsky.graph.list", 10, append_list},
    {"com.example.lexicon.sample", 20, append_sample},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const char *collection_pick(struct dice *d)
{
    uint32_t at = dice_below(d, 10000);
    size_t i = 0;
    while (i + 1 < KINDS && at >= kinds[i].per_10000)
        at -= kinds[i++].per_10000;
    return kinds[i].collection;
}

void record_append(struct record_maker *r, const char *collection, struct buffer *out)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].collection, collection) == 0) {
            kinds[i].append(r, collection, out);
            return;
        }
}
