#include "config.h"

#include "relay/dedup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/siphash.h"

enum { WAYS = 8, TID_CHARACTERS = 13, TID_CLOCK_BITS = 10 /* below the microseconds */ };

struct entry {
    uint64_t key; /* 0: free */
    uint64_t rev;
    uint32_t touched; /* s->clock when it was last taken */
    uint32_t relay;
};
_Static_assert(sizeof(struct entry) == DEDUP_ENTRY_BYTES, "what the header promises");

struct dedup {
    uint64_t hash_key[2];
    struct entry *entries; /* rows of WAYS */
    size_t rows;
    uint32_t clock;
    int64_t begins_us;
};

struct dedup *dedup_new(size_t repos)
{
    struct dedup *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->rows = repos / WAYS + 1;
    /* From the system at once, zeroed and untouched: only what is used takes memory. Not inherited by workers. */
    void *memory = mmap(NULL, s->rows * WAYS * sizeof *s->entries, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED ||
        getrandom(s->hash_key, sizeof s->hash_key, 0) != (ssize_t)sizeof s->hash_key) {
        if (memory != MAP_FAILED)
            munmap(memory, s->rows * WAYS * sizeof *s->entries);
        free(s);
        return NULL;
    }
    madvise(memory, s->rows * WAYS * sizeof *s->entries, MADV_DONTFORK);
    s->entries = memory;
    return s;
}

void dedup_free(struct dedup *s)
{
    if (s == NULL)
        return;
    munmap(s->entries, s->rows * WAYS * sizeof *s->entries);
    free(s);
}

void dedup_clear(struct dedup *s)
{
    madvise(s->entries, s->rows * WAYS * sizeof *s->entries, MADV_DONTNEED); /* zero again, and given back */
}

void dedup_begin_at(struct dedup *s, int64_t us)
{
    s->begins_us = us;
}

/* The number that a TID stands for: base32-sortable, so numbers compare as the texts do. 0: it is no TID. */
static uint64_t tid_number(const uint8_t *text, size_t len)
{
    static const char digits[] = "234567abcdefghijklmnopqrstuvwxyz";
    uint64_t number = 0;
    if (len != TID_CHARACTERS || memchr("234567abcdefghij", text[0], 16) == NULL)
        return 0;
    for (size_t i = 0; i < len; i++) {
        const char *digit = memchr(digits, text[i], sizeof digits - 1);
        if (digit == NULL)
            return 0;
        number = number << 5 | (uint64_t)(digit - digits);
    }
    return number;
}

static uint64_t key_of(const struct dedup *s, const void *did, size_t len)
{
    uint64_t key = siphash(s->hash_key, did, len);
    return key != 0 ? key : 1;
}

static struct entry *row_of(const struct dedup *s, uint64_t key)
{
    return s->entries + (size_t)(((unsigned __int128)key * s->rows) >> 64) * WAYS;
}

static struct entry *find(const struct dedup *s, uint64_t key)
{
    struct entry *row = row_of(s, key);
    for (int i = 0; i < WAYS; i++)
        if (row[i].key == key)
            return &row[i];
    return NULL;
}

bool dedup_is_duplicate(const struct dedup *s, unsigned relay, const void *did, size_t did_len, const void *rev,
                    size_t rev_len)
{
    uint64_t number = tid_number(rev, rev_len);
    const struct entry *e = number != 0 ? find(s, key_of(s, did, did_len)) : NULL;
    return e != NULL && e->relay != relay && number <= e->rev && (int64_t)(number >> TID_CLOCK_BITS) >= s->begins_us;
}

/* The repo's entry, a free one, or that of the repo which was quiet longest. */
static struct entry *place_for(struct dedup *s, uint64_t key)
{
    struct entry *row = row_of(s, key), *best = row;
    for (int i = 0; i < WAYS; i++) {
        if (row[i].key == key || row[i].key == 0)
            return &row[i];
        if (s->clock - row[i].touched > s->clock - best->touched)
            best = &row[i];
    }
    return best;
}

void dedup_add(struct dedup *s, unsigned relay, const void *did, size_t did_len, const void *rev,
               size_t rev_len)
{
    uint64_t number = tid_number(rev, rev_len);
    if (number == 0)
        return;
    uint64_t key = key_of(s, did, did_len);
    *place_for(s, key) = (struct entry){.key = key, .rev = number, .touched = ++s->clock, .relay = relay};
}
