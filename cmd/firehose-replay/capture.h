/* capture.h: frames in a file or in memory: [u32 little-endian length][frame], repeated, and nothing else.
 *
 * A capture in memory never changes; frames point into it and are valid as long as it. A file is mapped, so that a file
 * of many gigabytes can be served. If a recorder was killed, the file ends inside a frame and is good up to there; the
 * caller decides what that means. */
#ifndef FIREHOSE_REPLAY_CAPTURE_H
#define FIREHOSE_REPLAY_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"

/* Far above any frame (5,000,000 bytes are a relay's limit): a file with a longer frame is not a capture. */
enum { CAPTURE_MAX_FRAME = 64 << 20, CAPTURE_HEAD_BYTES = 4 };

struct capture_frame {
    const uint8_t *bytes;
    size_t len;
};

struct capture {
    struct capture_frame *frames;
    size_t count;
    bool is_truncated; /* *why of the call that read it has the place */
    size_t good_bytes; /* up to the end of the last whole frame */
    /* The bytes are in one of these: */
    void *mapped;
    size_t mapped_len;
    struct buffer owned;
};

/* Reads a file. Returns false and fills *why if there is no such file, if it is not a capture, or if memory is short.
 * For a file that is cut off, returns true, sets is_truncated and fills *why. */
bool capture_open(struct capture *c, const char *path, struct error *why);

/* Reads a buffer that holds a capture. Takes the bytes over and leaves the buffer empty. Returns as capture_open()
 * does. */
bool capture_adopt(struct capture *c, struct buffer *bytes, struct error *why);

void capture_close(struct capture *c);

/* Appends a frame in the capture's format. */
void capture_append(struct buffer *out, const void *frame, size_t len);

/* Writes a capture to a file. The functions return false and fill *why on failure. */

/* Returns true if a capture may be written there: no file has this name, or may_replace is set. The caller asks before
 * its work; capture_create() checks again. */
bool capture_may_create(const char *path, bool may_replace, struct error *why);

struct capture_writer {
    FILE *file;
    const char *path;
    uint64_t frames;
    uint64_t bytes; /* of frames, without their lengths */
};

/* Opens the file. It replaces an existing one only if may_replace is set. A pipe or a device needs no permission. */
bool capture_create(struct capture_writer *w, const char *path, bool may_replace, struct error *why);
bool capture_write(struct capture_writer *w, const void *frame, size_t len, struct error *why);

/* Flushes and closes. Returns false if the file does not have all frames. */
bool capture_finish(struct capture_writer *w, struct error *why);

#endif
