/* frame_peek.h: reads the few fields of a frame that the master needs, without decoding the rest. */
#ifndef FIREHOSED_ATPROTO_FRAME_PEEK_H
#define FIREHOSED_ATPROTO_FRAME_PEEK_H

#include "atproto/frame_header.h"

/* The longest texts of the lexicon's formats, in bytes (atproto.com/specs: did, nsid, record-key, handle). */
enum { FRAME_MAX_DID = 2048, FRAME_MAX_COLLECTION = 317, FRAME_MAX_RECORD_KEY = 512, FRAME_MAX_HANDLE = 253 };

/* Returns true if collection and record key of a path are within the limits. */
static inline bool frame_path_fits(const uint8_t *path, size_t len)
{
    if (len <= FRAME_MAX_COLLECTION)
        return true;
    const uint8_t *slash = memchr(path, '/', FRAME_MAX_COLLECTION + 1);
    return slash != NULL && len - (size_t)(slash - path) - 1 <= FRAME_MAX_RECORD_KEY;
}

/* An empty text stands for one beyond its limit: frame_parse() refuses the frame, and the master keeps nothing of
 * it. */
struct frame_peek {
    enum frame_kind kind;
    bool has_seq;
    int64_t seq;
    struct slice did;     /* repo or did */
    struct slice rev;     /* commit: set if it stands in front of repo, as in canonical order */
    struct slice name;    /* #info: name; error: error */
    struct slice message; /* #info and error */
    struct slice action;  /* commit: of the first op, for the dashboard */
    struct slice path;    /* commit: of the first op */
};

/* Fills *peek from a frame; slices point into the frame. Stops as soon as it has its fields, so success does not mean
 * that the rest is well formed. For FRAME_UNKNOWN it fills seq and DID if the body has them. Returns false and fills
 * *why if the frame cannot be read up to that point. Costs one pass over the tokens in front of `repo`. */
bool frame_peek(const uint8_t *frame, size_t len, struct frame_peek *peek, struct violation *why);

/* Reads the text of `time` alone. Not for every frame: the master wants it now and then, of a frame that it will not
 * send to a worker. Returns false if there is none, or if the frame cannot be read up to it. */
bool frame_time(const uint8_t *frame, size_t len, struct slice *time);

#endif
