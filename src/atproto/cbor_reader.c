#include "config.h"

#include "atproto/cbor_reader.h"

void cbor_reader_init(struct cbor_reader *r, const uint8_t *bytes, size_t len)
{
    *r = (struct cbor_reader){.start = bytes, .at = bytes, .end = bytes + len};
}

void cbor_note(struct cbor_reader *r, const char *rule)
{
    r->violation = (struct violation){.rule = rule, .offset = (size_t)(r->at - r->start)};
}
