#include "config.h"

#include "relay/dedup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/siphash.h"

enum { WAYS = 8, TID_CHARACTERS = 13, TID_BITS_BELOW_SECONDS = 10, US_A_SECOND = 1000000 };

struct entry {
    uint64_t key;   /* 0: free */
    uint32_t made_s; /* when, by its rev: since 1970 */
    uint32_t relay;
};
_Static_assert(sizeof(struct entry) == DEDUP_ENTRY_BYTES, "what the header promises");

struct dedup {
    uint64_t hash_key[2];
    struct entry *entries; /* rows of WAYS */
    size_t rows;
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

/* When a commit was made: a rev is a TID, which counts microseconds (atproto.com/specs/tid). Any other text, and a time
 * in the future, counts as now. */
static uint32_t made_s(const uint8_t *rev, size_t len, int64_t now_us)
{
    static const char digits[] = "234567abcdefghijklmnopqrstuvwxyz";
    uint64_t number = 0;
    for (size_t i = 0; i < len && len == TID_CHARACTERS; i++) {
        const char *digit = memchr(digits, rev[i], sizeof digits - 1);
        number = number << 5 | (uint64_t)(digit != NULL ? digit - digits : 31);
    }
    int64_t us = (int64_t)(number >> TID_BITS_BELOW_SECONDS);
    return (uint32_t)((us > 0 && us < now_us ? us : now_us) / US_A_SECOND);
}

/* A row is in the order of time, the newest first; the last one makes room. A commit that is older than all of a full
 * row is not added: a relay that was away for longer than the memory reaches would push out just what it is about to
 * send. */
void dedup_add(struct dedup *d, unsigned relay, const void *did, size_t did_len, const void *rev, size_t rev_len,
               int64_t now_us)
{
    uint64_t key = key_of(d, did, did_len, rev, rev_len);
    const struct entry fresh = {.key = key, .made_s = made_s(rev, rev_len, now_us), .relay = relay};
    struct entry *row = row_of(d, key);
    size_t place = 0, end = 0; /* where it goes; where it is, or what goes for it */
    while (end < WAYS - 1 && row[end].key != key && row[end].key != 0)
        end++;
    while (place < end && row[place].made_s > fresh.made_s)
        place++;
    if (key == 0 || (place == end && row[end].key != key && row[end].made_s > fresh.made_s))
        return;
    memmove(row + place + 1, row + place, (end - place) * sizeof *row);
    row[place] = fresh;
}
