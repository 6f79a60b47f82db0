#include "config.h"

#include "relay/dedup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/siphash.h"

enum { WAYS = 8 };

struct entry {
    uint64_t key;   /* 0: free */
    uint32_t taken; /* dedup.clock at that time */
    uint32_t relay;
};
_Static_assert(sizeof(struct entry) == DEDUP_ENTRY_BYTES, "what the header promises");

struct dedup {
    uint64_t hash_key[2];
    struct entry *entries; /* rows of WAYS */
    size_t rows;
    uint32_t clock;
};

struct dedup *dedup_new(size_t commits)
{
    struct dedup *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->rows = commits / WAYS + 1;
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

/* Returns 0 if repo or rev is missing. */
static uint64_t key_of(const struct dedup *d, const void *did, size_t did_len, const void *rev, size_t rev_len)
{
    if (did_len == 0 || rev_len == 0)
        return 0;
    const uint64_t of_repo[2] = {d->hash_key[0] ^ siphash(d->hash_key, did, did_len), d->hash_key[1]};
    uint64_t key = siphash(of_repo, rev, rev_len);
    return key != 0 ? key : 1;
}

static struct entry *row_of(const struct dedup *d, uint64_t key)
{
    return d->entries + (size_t)(((unsigned __int128)key * d->rows) >> 64) * WAYS;
}

bool dedup_is_duplicate(const struct dedup *d, unsigned relay, const void *did, size_t did_len, const void *rev,
                        size_t rev_len)
{
    uint64_t key = key_of(d, did, did_len, rev, rev_len);
    const struct entry *row = row_of(d, key);
    for (int i = 0; key != 0 && i < WAYS; i++)
        if (row[i].key == key)
            return row[i].relay != relay;
    return false;
}

/* Returns the commit's entry, a free one, or the oldest. */
static struct entry *place_for(struct dedup *d, uint64_t key)
{
    struct entry *row = row_of(d, key), *best = row;
    for (int i = 0; i < WAYS; i++) {
        if (row[i].key == key || row[i].key == 0)
            return &row[i];
        if (d->clock - row[i].taken > d->clock - best->taken)
            best = &row[i];
    }
    return best;
}

void dedup_add(struct dedup *d, unsigned relay, const void *did, size_t did_len, const void *rev, size_t rev_len)
{
    uint64_t key = key_of(d, did, did_len, rev, rev_len);
    if (key != 0)
        *place_for(d, key) = (struct entry){.key = key, .taken = ++d->clock, .relay = relay};
}
