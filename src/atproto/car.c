/* car.c: a commit has about ten blocks and needs one or two of them, so the search goes through the blocks in order.
 * Only a large commit gets a table.
 *
 * The CIDs are claims: the blocks are not hashed yet, so a stranger may choose digests that collide in any table.
 * Probing is therefore bounded. If the table is too crowded, the index drops it, and the search goes through the
 * blocks; the limits of a frame (200 ops, 2 MB) keep that short enough. */
#include "config.h"

#include "atproto/car.h"

#include <stdlib.h>
#include <string.h>

#include "atproto/cid.h"

enum {
    LINEAR_MAX = 16, /* up to here a linear search is faster than making a table */
    PROBES_MAX = 64,
    TABLE_SLOTS_PER_BLOCK = 4, /* sparse: honest digests are random and never need PROBES_MAX */
    FIRST_CAPACITY = 64,
    MULTIHASH_SHA2_256 = 0x12,
};

#define RULE_NO_MEMORY "out of memory"

void car_index_fini(struct car_index *index)
{
    free(index->blocks);
    free(index->table);
    *index = (struct car_index){0};
}

void car_index_clear(struct car_index *index)
{
    index->count = 0;
    index->table_size = 0;
    index->root = NULL;
    index->no_memory = false;
}

/* Reads an unsigned LEB128 of up to 64 bits. Accepts forms that are longer than necessary: they do no harm here. */
static bool read_long_varint(struct cbor_reader *r, uint64_t *value)
{
    const uint8_t *p = r->at;
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7, p++) {
        if (p == r->end)
            return cbor_fail(r, "CAR ends in the middle of a length");
        if (shift == 63 && *p > 1)
            break;
        v |= (uint64_t)(*p & 0x7f) << shift;
        if (*p < 0x80) {
            r->at = p + 1;
            *value = v;
            return true;
        }
    }
    return cbor_fail(r, "CAR length above 64 bits");
}

/* Reads the usual length of a block, two bytes, inline. */
static inline bool read_varint(struct cbor_reader *r, uint64_t *value)
{
    const uint8_t *p = r->at;
    if (r->end - p >= 2 && p[0] >= 0x80 && p[1] < 0x80) {
        *value = (p[0] & 0x7fu) | (uint64_t)p[1] << 7;
        r->at = p + 2;
        return true;
    }
    return read_long_varint(r, value);
}

/* Reads a length and sets *section to that many bytes behind it. */
static bool read_section(struct cbor_reader *r, struct cbor_reader *section)
{
    const uint8_t *before = r->at;
    uint64_t len;
    if (!read_varint(r, &len))
        return false;
    if (len > (uint64_t)(r->end - r->at)) {
        r->at = before;
        return cbor_fail(r, "CAR ends in the middle of a section");
    }
    *section = (struct cbor_reader){.start = r->start, .at = r->at, .end = r->at + len};
    r->at += len;
    return true;
}

static bool read_roots(struct car_index *index, struct cbor_reader *r)
{
    struct cbor_token array, root;
    if (!cbor_expect(r, CBOR_ARRAY, &array, "CAR roots are not an array"))
        return false;
    for (uint64_t i = 0; i < array.value; i++) {
        if (!cbor_expect(r, CBOR_LINK, &root, "CAR root is not a CID"))
            return false;
        if (i == 0)
            index->root = root.data;
    }
    return true;
}

/* {"roots": [CID, …], "version": 1} */
static bool read_header(struct car_index *index, struct cbor_reader *r)
{
    struct cbor_token map, key, previous, version = {.value = 0};
    bool has_roots = false;
    if (!cbor_expect(r, CBOR_MAP, &map, "CAR header is not a map"))
        return false;
    for (uint64_t i = 0; i < map.value; i++, previous = key) {
        bool ok;
        if (!cbor_next_key(r, i > 0 ? &previous : NULL, &key))
            return false;
        if (cbor_text_is(&key, "roots"))
            ok = has_roots = read_roots(index, r);
        else if (cbor_text_is(&key, "version"))
            ok = cbor_expect(r, CBOR_UNSIGNED, &version, "CAR version is not a number");
        else
            ok = cbor_skip(r);
        if (!ok)
            return false;
    }
    if (version.value != 1)
        return cbor_fail(r, "CAR version is not 1");
    if (!has_roots)
        return cbor_fail(r, "CAR header has no roots");
    return r->at == r->end || cbor_fail(r, "bytes behind the CAR header");
}

/* Skips a CID that AT Protocol does not use (an older version, another codec or hash). */
static bool skip_foreign_cid(struct cbor_reader *r)
{
    uint64_t version, codec, hash, digest_len;
    if (r->end - r->at >= 2 && r->at[0] == MULTIHASH_SHA2_256 && r->at[1] == CID_DIGEST_BYTES) {
        digest_len = CID_DIGEST_BYTES + 2; /* version 0: a bare multihash */
    } else {
        struct cbor_reader before = *r;
        if (!read_varint(r, &version) || !read_varint(r, &codec) || !read_varint(r, &hash) ||
            !read_varint(r, &digest_len))
            return false;
        if (version != 1) {
            r->at = before.at;
            return cbor_fail(r, "CAR block without a CID");
        }
    }
    if (digest_len > (uint64_t)(r->end - r->at))
        return cbor_fail(r, "CAR block ends in the middle of its CID");
    r->at += digest_len;
    return true;
}

static bool add_block(struct car_index *index, const struct cbor_reader *section)
{
    if (index->count == index->cap) {
        size_t cap = index->cap > 0 ? index->cap * 2 : FIRST_CAPACITY;
        struct car_block *blocks = reallocarray(index->blocks, cap, sizeof *blocks);
        if (blocks == NULL)
            return false;
        index->blocks = blocks;
        index->cap = cap;
    }
    index->blocks[index->count++] = (struct car_block){
        .cid = section->at,
        .data = section->at + CID_BYTES,
        .len = (size_t)(section->end - section->at) - CID_BYTES,
    };
    return true;
}

static bool read_block(struct car_index *index, struct cbor_reader *r)
{
    struct cbor_reader section;
    if (!read_section(r, &section))
        return false;
    if (section.end - section.at >= CID_BYTES && cid_valid(section.at, CID_BYTES)) {
        index->no_memory = !add_block(index, &section);
        return !index->no_memory || cbor_fail(r, RULE_NO_MEMORY);
    }
    /* No op can name a block with a foreign CID, because such a link is refused. The block is ignored, so that the
     * other ops pass; but it must be a block, or these bytes are not a CAR. */
    if (skip_foreign_cid(&section))
        return true;
    r->violation = section.violation;
    r->at = section.at;
    return false;
}

static size_t first_slot(const struct car_index *index, const uint8_t *cid)
{
    uint64_t digest;
    memcpy(&digest, cid + CID_DIGEST_OFFSET, sizeof digest);
    return digest & (index->table_size - 1);
}

/* Returns the slot that holds `cid`, or the empty slot for it, or NULL after too many probes. */
static uint32_t *find_slot(const struct car_index *index, const uint8_t *cid)
{
    size_t slot = first_slot(index, cid);
    for (int probes = 0; probes < PROBES_MAX; probes++, slot = (slot + 1) & (index->table_size - 1)) {
        uint32_t *entry = &index->table[slot];
        if (*entry == 0 || memcmp(index->blocks[*entry - 1].cid, cid, CID_BYTES) == 0)
            return entry;
    }
    return NULL;
}

/* Makes the table. If memory is short, or if too many digests collide, there is no table, and the search is slower. */
static void make_table(struct car_index *index)
{
    size_t slots = LINEAR_MAX * TABLE_SLOTS_PER_BLOCK;
    while (slots < index->count * TABLE_SLOTS_PER_BLOCK)
        slots *= 2;
    if (slots > index->table_cap) {
        uint32_t *table = reallocarray(index->table, slots, sizeof *table);
        if (table == NULL)
            return;
        index->table = table;
        index->table_cap = slots;
    }
    index->table_size = slots;
    memset(index->table, 0, slots * sizeof *index->table);
    for (size_t i = 0; i < index->count; i++) {
        uint32_t *entry = find_slot(index, index->blocks[i].cid);
        if (entry == NULL) {
            index->table_size = 0;
            return;
        }
        if (*entry == 0)
            *entry = (uint32_t)i + 1;
    }
}

bool car_index_read(struct car_index *index, struct cbor_reader *r)
{
    struct cbor_reader header;
    car_index_clear(index);
    if (!read_section(r, &header))
        return false;
    if (!read_header(index, &header)) {
        r->violation = header.violation;
        r->at = header.at;
        return false;
    }
    while (r->at < r->end)
        if (!read_block(index, r))
            return false;
    if (index->count > LINEAR_MAX)
        make_table(index);
    return true;
}

const struct car_block *car_index_find(const struct car_index *index, const uint8_t *cid)
{
    if (index->table_size > 0) {
        const uint32_t *entry = find_slot(index, cid);
        return entry != NULL && *entry != 0 ? &index->blocks[*entry - 1] : NULL;
    }
    for (size_t i = 0; i < index->count; i++)
        if (memcmp(index->blocks[i].cid, cid, CID_BYTES) == 0)
            return &index->blocks[i];
    return NULL;
}
