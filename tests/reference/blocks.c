#include "config.h"

#include "blocks.h"

#include <string.h>

#include "tree.h"

enum { CID_LENGTH = 36, DEEPEST = 128 };

struct run {
    const uint8_t *at;
    size_t left;
};

static bool take_varint(struct run *run, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 10 && run->left > 0; i++) {
        uint8_t byte = *run->at++;
        run->left--;
        if (i == 9 && byte > 1)
            return false;
        *value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool take_section(struct run *run, struct run *section)
{
    uint64_t len;
    if (!take_varint(run, &len) || len > run->left)
        return false;
    *section = (struct run){run->at, (size_t)len};
    run->at += len;
    run->left -= (size_t)len;
    return true;
}

static bool is_our_cid(const struct run *section)
{
    const uint8_t *p = section->at;
    return section->left >= CID_LENGTH && p[0] == 1 && (p[1] == 0x71 || p[1] == 0x55) && p[2] == 0x12 &&
           p[3] == 0x20;
}

/* A CID of some other kind stands in front of the block. */
static bool is_foreign_block(struct run section)
{
    uint64_t version, codec, hash, digest;
    if (section.left >= 2 && section.at[0] == 0x12 && section.at[1] == 0x20)
        return section.left >= 34;
    return take_varint(&section, &version) && take_varint(&section, &codec) && take_varint(&section, &hash) &&
           take_varint(&section, &digest) && version == 1 && digest <= section.left;
}

static bool roots_are_links(const cbor_item_t *roots)
{
    if (roots == NULL || !cbor_isa_array(roots))
        return false;
    for (size_t i = 0; i < cbor_array_size(roots); i++)
        if (!tree_is_link(cbor_array_handle(roots)[i]))
            return false;
    return true;
}

static bool is_header(const struct run *section)
{
    size_t consumed;
    cbor_item_t *header = tree_load(section->at, section->left, &consumed);
    bool ok = header != NULL && consumed == section->left && cbor_isa_map(header);
    for (size_t i = 0; ok && i < cbor_map_size(header); i++)
        ok = tree_depth(cbor_map_handle(header)[i].value) <= DEEPEST;
    if (ok) {
        const cbor_item_t *version = tree_get(header, "version");
        ok = version != NULL && cbor_isa_uint(version) && cbor_get_int(version) == 1 &&
             roots_are_links(tree_get(header, "roots"));
    }
    if (header != NULL)
        cbor_decref(&header);
    return ok;
}

bool blocks_are_car(const uint8_t *car, size_t len)
{
    struct run run = {car, len}, section;
    if (!take_section(&run, &section) || !is_header(&section))
        return false;
    while (run.left > 0)
        if (!take_section(&run, &section) || !(is_our_cid(&section) || is_foreign_block(section)))
            return false;
    return true;
}

const uint8_t *blocks_find(const uint8_t *car, size_t len, const uint8_t *cid, size_t *block_len)
{
    struct run run = {car, len}, section;
    if (!take_section(&run, &section))
        return NULL;
    while (run.left > 0 && take_section(&run, &section))
        if (is_our_cid(&section) && memcmp(section.at, cid, CID_LENGTH) == 0) {
            *block_len = section.left - CID_LENGTH;
            return section.at + CID_LENGTH;
        }
    return NULL;
}
