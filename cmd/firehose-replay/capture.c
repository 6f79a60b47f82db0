#include "config.h"

#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_BUFFER_BYTES = 256 << 10 };

/* ---- reading ---- */

static uint32_t read_length(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool add_frame(struct capture *c, size_t *cap, const uint8_t *bytes, size_t len)
{
    if (c->count == *cap) {
        size_t more = *cap > 0 ? *cap * 2 : 1024;
        struct capture_frame *frames = realloc(c->frames, more * sizeof *frames);
        if (frames == NULL)
            return false;
        c->frames = frames;
        *cap = more;
    }
    c->frames[c->count++] = (struct capture_frame){bytes, len};
    return true;
}

static bool index_frames(struct capture *c, const uint8_t *bytes, size_t len, struct error *why)
{
    size_t at = 0, cap = 0;
    while (len - at >= CAPTURE_HEAD_BYTES) {
        size_t frame_len = read_length(bytes + at);
        if (frame_len > CAPTURE_MAX_FRAME) {
            error_set(why, "not a capture: the frame at byte %zu would have %zu bytes", at, frame_len);
            return false;
        }
        if (frame_len > len - at - CAPTURE_HEAD_BYTES)
            break;
        if (!add_frame(c, &cap, bytes + at + CAPTURE_HEAD_BYTES, frame_len)) {
            error_set(why, "out of memory for %zu frames", c->count);
            return false;
        }
        at += CAPTURE_HEAD_BYTES + frame_len;
    }
    c->good_bytes = at;
    c->is_truncated = at < len;
    if (c->is_truncated)
        error_set(why, "ends in the middle of a frame: %zu whole frames, then %zu bytes at byte %zu", c->count,
                  len - at, at);
    return true;
}

static bool map_file(struct capture *c, const char *path, struct error *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    bool ok = fd >= 0 && fstat(fd, &st) == 0;
    if (!ok) {
        error_set(why, "%s", strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        error_set(why, "not a regular file");
        ok = false;
    } else if (st.st_size > 0) {
        void *mapped = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = mapped != MAP_FAILED;
        if (ok) {
            c->mapped = mapped;
            c->mapped_len = (size_t)st.st_size;
        } else {
            error_set(why, "%s", strerror(errno));
        }
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

bool capture_open(struct capture *c, const char *path, struct error *why)
{
    *c = (struct capture){0};
    bool ok = map_file(c, path, why) && index_frames(c, c->mapped, c->mapped_len, why);
    if (!ok)
        capture_close(c);
    if (!ok || c->is_truncated)
        error_context(why, "%s", path);
    return ok;
}

bool capture_adopt(struct capture *c, struct buffer *bytes, struct error *why)
{
    *c = (struct capture){.owned = *bytes};
    buffer_init(bytes);
    if (c->owned.failed)
        error_set(why, "out of memory");
    bool ok = !c->owned.failed && index_frames(c, c->owned.data, c->owned.len, why);
    if (!ok)
        capture_close(c);
    return ok;
}

void capture_close(struct capture *c)
{
    if (c->mapped != NULL)
        munmap(c->mapped, c->mapped_len);
    buffer_fini(&c->owned);
    free(c->frames);
    *c = (struct capture){0};
}

/* ---- writing ---- */

static void write_length(uint8_t head[CAPTURE_HEAD_BYTES], size_t len)
{
    for (int i = 0; i < CAPTURE_HEAD_BYTES; i++)
        head[i] = (uint8_t)(len >> 8 * i);
}

void capture_append(struct buffer *out, const void *frame, size_t len)
{
    uint8_t head[CAPTURE_HEAD_BYTES];
    write_length(head, len);
    buffer_append(out, head, sizeof head);
    buffer_append(out, frame, len);
}

bool capture_may_create(const char *path, bool may_replace, struct error *why)
{
    struct stat st;
    if (may_replace || lstat(path, &st) != 0 || S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
        return true;
    error_set(why, "%s: there is a file of this name; --force replaces it", path);
    return false;
}

bool capture_create(struct capture_writer *w, const char *path, bool may_replace, struct error *why)
{
    *w = (struct capture_writer){.path = path};
    if (!capture_may_create(path, may_replace, why))
        return false;
    w->file = fopen(path, "wbe");
    if (w->file == NULL) {
        error_set(why, "%s: %s", path, strerror(errno));
        return false;
    }
    setvbuf(w->file, NULL, _IOFBF, WRITE_BUFFER_BYTES);
    return true;
}

bool capture_write(struct capture_writer *w, const void *frame, size_t len, struct error *why)
{
    uint8_t head[CAPTURE_HEAD_BYTES];
    write_length(head, len);
    if (fwrite(head, 1, sizeof head, w->file) != sizeof head || fwrite(frame, 1, len, w->file) != len) {
        error_set(why, "%s: %s", w->path, strerror(errno));
        return false;
    }
    w->frames++;
    w->bytes += len;
    return true;
}

bool capture_finish(struct capture_writer *w, struct error *why)
{
    if (w->file == NULL)
        return true;
    bool ok = fclose(w->file) == 0;
    w->file = NULL;
    if (!ok)
        error_set(why, "%s: %s", w->path, strerror(errno));
    return ok;
}
