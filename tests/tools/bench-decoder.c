/* bench-decoder: what the atproto room costs on one core, without I/O, and what hashing alone does. For scripts/bench.
 *
 *   bench-decoder ROUNDS CAPTURE
 *
 * Each line is a name, and CPU time by frame: "peek" is what the master does with a frame, "encode" what a worker does
 * (envelope, CAR, the records' hashes, JSON), "encode-all" the same with every block of the CAR hashed, "sha256" the
 * hashing in "encode" alone: the part of it that nobody can leave out. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "atproto/car.h"
#include "atproto/event_json.h"
#include "base/sha256.h"

struct entry {
    uint8_t *bytes;
    size_t len;
};

struct capture {
    struct entry *entries;
    size_t count;
};

/* What every measured function gets; `work` is there so that no compiler leaves anything out. */
struct bench {
    struct capture capture;
    struct event_encoder *encoder;
    struct sha256 *sha256;
    struct car_index car;
    struct car_block *records; /* of all frames, that ops name */
    size_t record_count;
    struct event event;
    struct buffer out;
    size_t work;
};

static void die(const char *what)
{
    fprintf(stderr, "bench-decoder: %s\n", what);
    exit(1);
}

static void *more(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) /* room for the next power of two was made already */
        return items;
    items = reallocarray(items, count > 0 ? 2 * count : 1, size);
    if (items == NULL)
        die("out of memory");
    return items;
}

static void read_capture(struct capture *c, FILE *in)
{
    uint8_t head[4];
    while (fread(head, 1, sizeof head, in) == sizeof head) {
        size_t len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        uint8_t *bytes = malloc(len + 1);
        if (bytes == NULL || fread(bytes, 1, len, in) != len)
            die("the capture ends in the middle of a frame");
        c->entries = more(c->entries, c->count, sizeof *c->entries);
        c->entries[c->count++] = (struct entry){bytes, len};
    }
    if (c->count == 0)
        die("no frame in the capture");
}

static bool index_blocks(struct bench *b, const struct slice *blocks)
{
    struct cbor_reader r = {.start = blocks->ptr, .at = blocks->ptr, .end = blocks->ptr + blocks->len};
    car_index_clear(&b->car);
    return blocks->len > 0 && car_index_read(&b->car, &r);
}

/* Finds what "sha256" hashes, before the clock runs. */
static void find_records(struct bench *b)
{
    for (size_t i = 0; i < b->capture.count; i++) {
        const struct entry *e = &b->capture.entries[i];
        buffer_clear(&b->out);
        if (event_encode(b->encoder, e->bytes, e->len, &b->out, &b->event) != EVENT_READY ||
            !index_blocks(b, &b->event.frame.blocks))
            continue;
        for (size_t op = 0; op < b->event.frame.op_count; op++) {
            const uint8_t *cid = b->event.frame.ops[op].cid;
            const struct car_block *block = cid != NULL ? car_index_find(&b->car, cid) : NULL;
            if (block == NULL)
                continue;
            b->records = more(b->records, b->record_count, sizeof *b->records);
            b->records[b->record_count++] = *block;
        }
    }
}

/* ---- what is measured: one round over all frames ---- */

static void peek(struct bench *b)
{
    struct frame_peek peeked;
    struct violation why;
    for (size_t i = 0; i < b->capture.count; i++)
        b->work += frame_peek(b->capture.entries[i].bytes, b->capture.entries[i].len, &peeked, &why);
}

static void encode(struct bench *b)
{
    for (size_t i = 0; i < b->capture.count; i++) {
        buffer_clear(&b->out);
        b->work += event_encode(b->encoder, b->capture.entries[i].bytes, b->capture.entries[i].len, &b->out,
                                &b->event) == EVENT_READY;
    }
}

static void hash_block(struct bench *b, const struct car_block *block)
{
    uint8_t digest[32];
    if (!sha256_digest(b->sha256, block->data, block->len, digest))
        die("OpenSSL failed");
    b->work += digest[0];
}

static void encode_all(struct bench *b)
{
    for (size_t i = 0; i < b->capture.count; i++) {
        buffer_clear(&b->out);
        b->work += event_encode(b->encoder, b->capture.entries[i].bytes, b->capture.entries[i].len, &b->out,
                                &b->event) == EVENT_READY;
        if (!index_blocks(b, &b->event.frame.blocks))
            continue;
        for (size_t k = 0; k < b->car.count; k++)
            hash_block(b, &b->car.blocks[k]);
    }
}

static void hash_records(struct bench *b)
{
    for (size_t i = 0; i < b->record_count; i++)
        hash_block(b, &b->records[i]);
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(struct bench *b, const char *name, void (*round)(struct bench *), long rounds)
{
    round(b); /* warm */
    double started = cpu_seconds();
    for (long i = 0; i < rounds; i++)
        round(b);
    double frames = (double)b->capture.count * (double)rounds, seconds = cpu_seconds() - started;
    printf("%-10s %9.0f frames/s  %6.3f us/frame\n", name, frames / seconds, seconds * 1e6 / frames);
}

int main(int argc, char **argv)
{
    static struct bench b;
    long rounds = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    if (rounds <= 0)
        die("usage: bench-decoder ROUNDS CAPTURE");
    FILE *in = fopen(argv[2], "rbe");
    if (in == NULL)
        die("cannot open the capture");
    read_capture(&b.capture, in);
    fclose(in);
    b.encoder = event_encoder_new(EVENT_FORMAT_COMPAT);
    b.sha256 = sha256_new();
    buffer_init(&b.out);
    if (b.encoder == NULL || b.sha256 == NULL)
        die("out of memory");
    find_records(&b);
    measure(&b, "peek", peek, rounds);
    measure(&b, "encode", encode, rounds);
    measure(&b, "encode-all", encode_all, rounds);
    measure(&b, "sha256", hash_records, rounds);
    fprintf(stderr, "%zu\n", b.work);
    event_encoder_free(b.encoder);
    sha256_free(b.sha256);
    car_index_fini(&b.car);
    buffer_fini(&b.out);
    for (size_t i = 0; i < b.capture.count; i++)
        free(b.capture.entries[i].bytes);
    free(b.capture.entries);
    free(b.records);
    return 0;
}
