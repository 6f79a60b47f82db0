/* CARs. The input is one CAR.
 *
 * Each block lies inside the input; finding a CID gives the first block that has it, table or no table; the
 * root is a CID. */
#include "config.h"

#include <string.h>

#include "atproto/car.h"
#include "atproto/cid.h"
#include "fuzz.h"

static const struct car_block *first_with(const struct car_index *index, const uint8_t *cid)
{
    for (size_t i = 0; i < index->count; i++)
        if (memcmp(index->blocks[i].cid, cid, CID_BYTES) == 0)
            return &index->blocks[i];
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct car_index index;
    static const uint8_t absent[CID_BYTES] = {1, CID_CODEC_DAG_CBOR, 0x12, 0x20, 0xff, 0xee};
    struct cbor_reader r;
    cbor_reader_init(&r, data, size);
    if (!car_index_read(&index, &r)) {
        must(r.violation.rule != NULL && r.violation.offset <= size, "offset %zu", r.violation.offset);
        return 0;
    }
    must(r.at == r.end);
    must(index.root == NULL || cid_valid(index.root, CID_BYTES));
    for (size_t i = 0; i < index.count; i++) {
        const struct car_block *b = &index.blocks[i];
        must(b->cid >= data && b->data == b->cid + CID_BYTES && b->len <= (size_t)(data + size - b->data));
        must(cid_valid(b->cid, CID_BYTES));
        must(car_index_find(&index, b->cid) == first_with(&index, b->cid));
    }
    must(car_index_find(&index, absent) == first_with(&index, absent));
    return 0;
}
