/* capture.h: frames in a file, or in memory: repeated [u32 little-endian length][frame], nothing else.
 *
 * A capture in memory is never changed; frames point into it and live as long as it. A file is mapped, so that
 * one of many gigabytes can be served. A file that ends inside a frame is good up to there (a recorder was
 * killed): the caller decides what that means. */
#ifndef FIREHOSE_REPLAY_CAPTURE_H
#define FIREHOSE_REPLAY_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"

/* Far above any frame (a relay's messages end at 5,000,000 bytes): what is longer is no capture. */
enum { CAPTURE_MAX_FRAME = 64 << 20, CAPTURE_HEAD_BYTES = 4 };

struct capture_frame {
    const uint8_t *bytes;
    size_t len;
};

struct capture {
    struct capture_frame *frames;
    size_t count;
    bool is_truncated; /* *why of the call that read it tells where */
    size_t good_bytes; /* up to the end of the last whole frame */
    /* Where the bytes are: */
    void *mapped;
    size_t mapped_len;
    struct buffer owned;
};

/* False: no such file, not a capture, no memory. A file that is cut off is read as far as it goes: true, with
 * is_truncated set and *why filled. */
bool capture_open(struct capture *c, const char *path, struct error *why);

/* Takes a buffer over that holds a capture (it is empty afterwards). */
bool capture_adopt(struct capture *c, struct buffer *bytes, struct error *why);

void capture_close(struct capture *c);

/* Appends a frame in the capture's format. */
void capture_append(struct buffer *out, const void *frame, size_t len);

/* A capture that is being written. */
struct capture_writer {
    FILE *file;
    const char *path;
    uint64_t frames;
    uint64_t bytes; /* of frames, without their lengths */
};

bool capture_create(struct capture_writer *w, const char *path, struct error *why);
bool capture_write(struct capture_writer *w, const void *frame, size_t len, struct error *why);

/* Flushes and closes. False: not all of it has been written. */
bool capture_finish(struct capture_writer *w, struct error *why);

#endif
