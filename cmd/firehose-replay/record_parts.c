#include "config.h"

#include "record_parts.h"

#include "base/clock.h"
#include "cbor_write.h"

void record_maker_init(struct record_maker *r, struct repo_model *model)
{
    *r = (struct record_maker){.model = model};
}

void record_maker_fini(struct record_maker *r)
{
    buffer_fini(&r->text.text);
    buffer_fini(&r->words);
}

void created_at_append(struct record_maker *r, struct buffer *out)
{
    char time[CLOCK_TEXT_BYTES];
    /* The writer's time is a little before the relay's. */
    clock_format_utc((int64_t)(r->model->now_us - dice_below(&r->model->dice, 3000000)), time);
    cbor_pair_text(out, "createdAt", time);
}

/* Appends com.atproto.repo.strongRef, in which the CID is text, not a link. */
void strong_ref_append(struct record_maker *r, const char *collection, struct buffer *out)
{
    uint8_t cid[CID_BYTES];
    char text[CID_TEXT_BYTES], uri[AT_URI_BYTES];
    random_cid(&r->model->dice, CID_CODEC_DAG_CBOR, cid);
    cid_to_text(cid, text);
    random_at_uri(r->model, collection, uri);
    cbor_write_map(out, 2);
    cbor_write_text(out, "cid");
    cbor_write_text_bytes(out, text, sizeof text);
    cbor_pair_text(out, "uri", uri);
}

void blob_append(struct record_maker *r, const char *mime_type, struct buffer *out)
{
    uint8_t cid[CID_BYTES];
    random_cid(&r->model->dice, CID_CODEC_RAW, cid);
    cbor_write_map(out, 4);
    cbor_pair_link(out, "ref", cid);
    cbor_pair_int(out, "size", dice_between(&r->model->dice, 9000, 990000));
    cbor_pair_text(out, "$type", "blob");
    cbor_pair_text(out, "mimeType", mime_type);
}

void words_pair_append(struct record_maker *r, const char *key, unsigned words, struct buffer *out)
{
    buffer_clear(&r->words);
    words_append(&r->words, r->model, words);
    cbor_write_text(out, key);
    cbor_write_text_bytes(out, r->words.data, r->words.len);
}
