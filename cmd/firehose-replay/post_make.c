#include "config.h"

#include "post_make.h"

#include "cbor_write.h"

/* ---- facets ---- */

static void append_feature(const struct facet *f, struct buffer *out)
{
    static const struct {
        const char *type, *key;
    } features[] = {
        [FACET_MENTION] = {"app.bsky.richtext.facet#mention", "did"},
        [FACET_LINK] = {"app.bsky.richtext.facet#link", "uri"},
        [FACET_TAG] = {"app.bsky.richtext.facet#tag", "tag"},
    };
    cbor_write_array(out, 1);
    cbor_write_map(out, 2);
    cbor_pair_text(out, features[f->kind].key, f->value);
    cbor_pair_text(out, "$type", features[f->kind].type);
}

static void append_facets(const struct post_text *t, struct buffer *out)
{
    cbor_write_text(out, "facets");
    cbor_write_array(out, t->facet_count);
    for (size_t i = 0; i < t->facet_count; i++) {
        const struct facet *f = &t->facets[i];
        cbor_write_map(out, 2);
        cbor_write_text(out, "index");
        cbor_write_map(out, 2);
        cbor_pair_int(out, "byteEnd", (int64_t)f->end);
        cbor_pair_int(out, "byteStart", (int64_t)f->start);
        cbor_write_text(out, "features");
        append_feature(f, out);
    }
}

/* ---- embeds ---- */

static void append_aspect_ratio(struct record_maker *r, struct buffer *out)
{
    cbor_write_text(out, "aspectRatio");
    cbor_write_map(out, 2);
    cbor_pair_int(out, "width", dice_between(&r->model->dice, 320, 2000));
    cbor_pair_int(out, "height", dice_between(&r->model->dice, 320, 2000));
}

static void append_images(struct record_maker *r, struct buffer *out)
{
    unsigned images = dice_between(&r->model->dice, 1, 3);
    cbor_write_map(out, 2);
    cbor_pair_text(out, "$type", "app.bsky.embed.images");
    cbor_write_text(out, "images");
    cbor_write_array(out, images);
    for (unsigned i = 0; i < images; i++) {
        cbor_write_map(out, 3);
        words_pair_append(r, "alt", dice_below(&r->model->dice, 8), out);
        cbor_write_text(out, "image");
        blob_append(r, "image/jpeg", out);
        append_aspect_ratio(r, out);
    }
}

static void append_external(struct record_maker *r, struct buffer *out)
{
    cbor_write_map(out, 2);
    cbor_pair_text(out, "$type", "app.bsky.embed.external");
    cbor_write_text(out, "external");
    cbor_write_map(out, 4);
    cbor_pair_text(out, "uri", "https://news.example.com/2026/01/01/a-long-title-in-the-address.html");
    cbor_write_text(out, "thumb");
    blob_append(r, "image/png", out);
    words_pair_append(r, "title", 8, out);
    words_pair_append(r, "description", 20, out);
}

static void append_quote(struct record_maker *r, struct buffer *out)
{
    cbor_write_map(out, 2);
    cbor_pair_text(out, "$type", "app.bsky.embed.record");
    cbor_write_text(out, "record");
    strong_ref_append(r, "app.bsky.feed.post", out);
}

static void append_quote_with_images(struct record_maker *r, struct buffer *out)
{
    cbor_write_map(out, 3);
    cbor_pair_text(out, "$type", "app.bsky.embed.recordWithMedia");
    cbor_write_text(out, "media");
    append_images(r, out);
    cbor_write_text(out, "record");
    append_quote(r, out);
}

static void append_video(struct record_maker *r, struct buffer *out)
{
    cbor_write_map(out, 3);
    cbor_pair_text(out, "$type", "app.bsky.embed.video");
    cbor_write_text(out, "video");
    blob_append(r, "video/mp4", out);
    append_aspect_ratio(r, out);
}

static void append_embed(struct record_maker *r, struct buffer *out)
{
    cbor_write_text(out, "embed");
    uint32_t at = dice_below(&r->model->dice, 100);
    if (at < 45)
        append_images(r, out);
    else if (at < 70)
        append_external(r, out);
    else if (at < 90)
        append_quote(r, out);
    else if (at < 95)
        append_quote_with_images(r, out);
    else
        append_video(r, out);
}

static void append_reply(struct record_maker *r, struct buffer *out)
{
    cbor_write_text(out, "reply");
    cbor_write_map(out, 2);
    cbor_write_text(out, "root");
    strong_ref_append(r, "app.bsky.feed.post", out);
    cbor_write_text(out, "parent");
    strong_ref_append(r, "app.bsky.feed.post", out);
}

/* ---- the post ---- */

void post_append(struct record_maker *r, struct buffer *out)
{
    struct dice *d = &r->model->dice;
    struct post_text *t = &r->text;
    post_text_make(t, r->model);
    bool has_embed = dice_permille(d, 350), has_langs = dice_permille(d, 900), is_reply = dice_permille(d, 450);
    bool has_facets = t->facet_count > 0 || dice_permille(d, 30); /* some clients write an empty list */
    cbor_write_map(out, 3 + (size_t)has_embed + has_langs + is_reply + has_facets);
    cbor_write_text(out, "text");
    cbor_write_text_bytes(out, t->text.data, t->text.len);
    cbor_pair_text(out, "$type", "app.bsky.feed.post");
    if (has_embed)
        append_embed(r, out);
    if (has_langs) {
        cbor_write_text(out, "langs");
        cbor_write_array(out, 1);
        cbor_write_text(out, t->lang);
    }
    if (is_reply)
        append_reply(r, out);
    if (has_facets)
        append_facets(t, out);
    created_at_append(r, out);
}
