/* text_set.c: the file of a set has a header, then the sorted hashes, each once. */
#include "config.h"

#include "base/text_set.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/siphash.h"

enum { FIRST_CAPACITY = 1024, LINE_MAX_BYTES = 2048 /* a DID's limit */ };

struct header {
    uint64_t key[2];
    uint64_t count;
    uint32_t is_complete;
    struct error failure; /* valid if the set is not complete */
};

struct text_set {
    struct header *header; /* the mapping */
    const uint64_t *hashes;
    size_t bytes; /* of the mapping */
};

/* ---- building ---- */

struct builder {
    struct header header;
    uint64_t *hashes;
    size_t count, capacity;
};

static bool add(struct builder *b, const char *text, size_t len)
{
    if (b->count == b->capacity) {
        size_t capacity = b->capacity == 0 ? FIRST_CAPACITY : b->capacity * 2;
        uint64_t *larger = realloc(b->hashes, capacity * sizeof *larger);
        if (larger == NULL)
            return false;
        b->hashes = larger;
        b->capacity = capacity;
    }
    b->hashes[b->count++] = siphash(b->header.key, text, len);
    return true;
}

static bool read_lines(struct builder *b, FILE *in, const char *path, const char *prefix, struct error *why)
{
    char *line = NULL;
    size_t line_bytes = 0;
    unsigned long number = 0;
    bool ok = true;
    for (ssize_t n; ok && (n = getline(&line, &line_bytes, in)) >= 0;) {
        char *text = line, *end = line + n;
        number++;
        while (text < end && isspace((unsigned char)*text))
            text++;
        while (end > text && isspace((unsigned char)end[-1]))
            end--;
        size_t len = (size_t)(end - text);
        if (len == 0 || *text == '#')
            continue;
        if (len > LINE_MAX_BYTES || len <= strlen(prefix) || memcmp(text, prefix, strlen(prefix)) != 0) {
            error_set(why, "%s:%lu: '%.*s' is not valid, expected one that begins with %s", path, number,
                      len > 60 ? 60 : (int)len, text, prefix);
            ok = false;
        } else if (!add(b, text, len)) {
            error_set(why, "%s: out of memory", path);
            ok = false;
        }
    }
    if (ok && ferror(in)) {
        error_set(why, "%s: %s", path, strerror(errno));
        ok = false;
    }
    free(line);
    return ok;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_once_each(struct builder *b)
{
    size_t kept = 0;
    if (b->count > 1)
        qsort(b->hashes, b->count, sizeof *b->hashes, by_value);
    for (size_t i = 0; i < b->count; i++)
        if (i == 0 || b->hashes[i] != b->hashes[kept - 1])
            b->hashes[kept++] = b->hashes[i];
    b->count = kept;
}

static bool write_all(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_set(int fd, struct builder *b, struct error *why)
{
    b->header.count = b->count;
    b->header.is_complete = 1;
    if (write_all(fd, &b->header, sizeof b->header) && write_all(fd, b->hashes, b->count * sizeof *b->hashes))
        return true;
    error_set(why, "cannot write a set of %zu texts: %s", b->count, strerror(errno));
    return false;
}

int text_set_file(struct error *why)
{
    int fd = memfd_create("firehosed-set", MFD_CLOEXEC);
    if (fd < 0)
        error_set(why, "cannot make a set in memory: %s", strerror(errno));
    return fd;
}

static bool build(struct builder *b, int fd, const char *path, const char *prefix, struct error *why)
{
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        error_set(why, "%s: %s", path, strerror(errno));
        return false;
    }
    bool ok = read_lines(b, in, path, prefix, why);
    fclose(in);
    if (!ok)
        return false;
    sort_once_each(b);
    return write_set(fd, b, why);
}

bool text_set_build(int fd, const char *path, const char *prefix, struct error *why)
{
    struct builder b = {0};
    bool ok = getrandom(b.header.key, sizeof b.header.key, 0) == (ssize_t)sizeof b.header.key;
    if (!ok)
        error_set(why, "cannot make a random key: %s", strerror(errno));
    ok = ok && build(&b, fd, path, prefix, why);
    if (!ok) {
        b.header.is_complete = 0;
        error_set(&b.header.failure, "%s", why->text); /* copies the text only, not the memory behind its end */
        if (pwrite(fd, &b.header, sizeof b.header, 0) < 0)
            error_set(why, "%.200s, and memory is short", b.header.failure.text);
    }
    free(b.hashes);
    return ok;
}

/* ---- looking up ---- */

struct text_set *text_set_map(int fd, struct error *why)
{
    struct stat file;
    struct text_set *s = calloc(1, sizeof *s);
    if (s == NULL || fstat(fd, &file) < 0 || (size_t)file.st_size < sizeof *s->header) {
        error_set(why, s == NULL ? "out of memory" : "the process that reads the file did not finish the set");
        free(s);
        return NULL;
    }
    s->bytes = (size_t)file.st_size;
    void *memory = mmap(NULL, s->bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        error_set(why, "cannot map a set of %zu bytes: %s", s->bytes, strerror(errno));
        free(s);
        return NULL;
    }
    s->header = memory;
    s->hashes = (const uint64_t *)(s->header + 1);
    bool fits = s->header->count <= (s->bytes - sizeof *s->header) / sizeof *s->hashes;
    if (!s->header->is_complete || !fits) {
        error_set(why, "%s", s->header->failure.text);
        text_set_free(s);
        return NULL;
    }
    madvise(memory, s->bytes, MADV_DONTFORK); /* a failure does no harm: children then have the mapping, too */
    return s;
}

void text_set_free(struct text_set *s)
{
    if (s == NULL)
        return;
    munmap(s->header, s->bytes);
    free(s);
}

/* Returns how many places lie between two hashes of this difference, if hashes spread evenly. */
static size_t places(uint64_t difference, size_t count)
{
    return (size_t)(((unsigned __int128)difference * count) >> 64);
}

/* Searches by interpolation: it goes to the place in proportion to the hash, and repeats that from the hash found
 * there. Each step leaves about the square root of the distance; a linear walk covers the rest. */
bool text_set_has(const struct text_set *s, const void *text, size_t len)
{
    enum { STEPS = 3 };
    size_t count = (size_t)s->header->count;
    if (count == 0)
        return false;
    uint64_t wanted = siphash(s->header->key, text, len);
    size_t i = places(wanted, count);
    for (int step = 0; step < STEPS; step++) {
        uint64_t here = s->hashes[i];
        size_t back = here > wanted ? places(here - wanted, count) : 0;
        size_t on = here < wanted ? places(wanted - here, count) : 0;
        i = back > i ? 0 : i - back;
        i = on > count - 1 - i ? count - 1 : i + on;
    }
    while (i > 0 && s->hashes[i] > wanted)
        i--;
    while (i + 1 < count && s->hashes[i] < wanted)
        i++;
    return s->hashes[i] == wanted;
}

size_t text_set_count(const struct text_set *s) { return (size_t)s->header->count; }
