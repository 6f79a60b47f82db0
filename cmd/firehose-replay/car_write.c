#include "config.h"

#include "car_write.h"

#include <string.h>

#include "cbor_write.h"

bool car_writer_init(struct car_writer *w)
{
    *w = (struct car_writer){.sha = sha256_new()};
    return w->sha != NULL;
}

void car_writer_fini(struct car_writer *w)
{
    sha256_free(w->sha);
    buffer_fini(&w->sections);
    w->sha = NULL;
}

void car_writer_clear(struct car_writer *w) { buffer_clear(&w->sections); }

/* Appends an unsigned LEB128. */
static void append_varint(struct buffer *b, size_t value)
{
    for (; value >= 0x80; value >>= 7)
        buffer_append_byte(b, (uint8_t)(value | 0x80));
    buffer_append_byte(b, (uint8_t)value);
}

void car_writer_add(struct car_writer *w, const struct buffer *block, uint8_t cid[CID_BYTES])
{
    const uint8_t head[CID_DIGEST_OFFSET] = {0x01, CID_CODEC_DAG_CBOR, 0x12, CID_DIGEST_BYTES};
    memcpy(cid, head, sizeof head);
    if (block->failed || !sha256_digest(w->sha, block->data, block->len, cid + CID_DIGEST_OFFSET))
        w->sections.failed = true;
    append_varint(&w->sections, CID_BYTES + block->len);
    buffer_append(&w->sections, cid, CID_BYTES);
    buffer_append(&w->sections, block->data, block->len);
}

void car_writer_append(const struct car_writer *w, const uint8_t root[CID_BYTES], struct buffer *out)
{
    struct buffer header;
    buffer_init(&header);
    cbor_write_map(&header, 2);
    cbor_write_text(&header, "roots");
    cbor_write_array(&header, 1);
    cbor_write_link(&header, root);
    cbor_pair_int(&header, "version", 1);
    /* The header is shorter than 128 bytes: one byte of length. */
    cbor_write_head(out, CBOR_MAJOR_BYTES, 1 + header.len + w->sections.len);
    append_varint(out, header.len);
    buffer_append(out, header.data, header.len);
    buffer_append(out, w->sections.data, w->sections.len);
    out->failed |= header.failed | w->sections.failed;
    buffer_fini(&header);
}
