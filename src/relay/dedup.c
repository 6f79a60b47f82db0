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
    uint32_t touched; /* dedup.clock when the repo was last taken */
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
    struct dedup *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->rows = repos / WAYS + 1;
    size_t bytes = d->rows * WAYS * sizeof *d->entries;
    /* Straight from the system, zeroed: only the used part takes memory. Workers do not inherit it. */
    int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (getrandom(d->hash_key, sizeof d->hash_key, 0) != (ssize_t)sizeof d->hash_key ||
        (d->entries = mmap(NULL, bytes, protection, flags, -1, 0)) == MAP_FAILED) {
        free(d);
        return NULL;
    }
    madvise(d->entries, bytes, MADV_DONTFORK);
    return d;
}

void dedup_free(struct dedup *d)
{
    if (d == NULL)
        return;
    munmap(d->entries, d->rows * WAYS * sizeof *d->entries);
    free(d);
}

void dedup_clear(struct dedup *d)
{
    madvise(d->entries, d->rows * WAYS * sizeof *d->entries, MADV_DONTNEED); /* zeroed, and given back */
}

void dedup_begin_at(struct dedup *d, int64_t us) { d->begins_us = us; }

/* The number of a TID, which is base32-sortable: numbers compare as the texts do. Returns 0 if the text is no TID. */
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

static uint64_t key_of(const struct dedup *d, const void *did, size_t len)
{
    uint64_t key = siphash(d->hash_key, did, len);
    return key != 0 ? key : 1;
}

static struct entry *row_of(const struct dedup *d, uint64_t key)
{
    return d->entries + (size_t)(((unsigned __int128)key * d->rows) >> 64) * WAYS;
}

static struct entry *find(const struct dedup *d, uint64_t key)
{
    struct entry *row = row_of(d, key);
    for (int i = 0; i < WAYS; i++)
        if (row[i].key == key)
            return &row[i];
    return NULL;
}

bool dedup_is_duplicate(const struct dedup *d, unsigned relay, const void *did, size_t did_len, const void *rev,
                        size_t rev_len)
{
    uint64_t number = tid_number(rev, rev_len);
    const struct entry *e = number != 0 ? find(d, key_of(d, did, did_len)) : NULL;
    return e != NULL && e->relay != relay && number <= e->rev && (int64_t)(number >> TID_CLOCK_BITS) >= d->begins_us;
}

/* Returns the repo's entry, a free one, or the entry of the repo that was quiet longest. */
static struct entry *place_for(struct dedup *d, uint64_t key)
{
    struct entry *row = row_of(d, key), *best = row;
    for (int i = 0; i < WAYS; i++) {
        if (row[i].key == key || row[i].key == 0)
            return &row[i];
        if (d->clock - row[i].touched > d->clock - best->touched)
            best = &row[i];
    }
    return best;
}

void dedup_add(struct dedup *d, unsigned relay, const void *did, size_t did_len, const void *rev, size_t rev_len)
{
    uint64_t number = tid_number(rev, rev_len);
    if (number == 0)
        return;
    uint64_t key = key_of(d, did, did_len);
    *place_for(d, key) = (struct entry){.key = key, .rev = number, .touched = ++d->clock, .relay = relay};
}
