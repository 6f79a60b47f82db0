#include "config.h"

#include "stats/collection_counts.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 1024, /* four for each entry, so that the first probe nearly always hits */
    PROBES = 8,   /* names that were made to collide count as other, and cost no more than this */
    EMPTY = 0,    /* a slot's value; else the entry's number plus one */
    QUIET_S = 300,
    CROWDED = COLLECTION_COUNTS_MAX * 3 / 4,
};

struct collection_counts {
    unsigned count;
    uint64_t other;
    uint16_t slots[SLOTS];
    struct collection_count entries[COLLECTION_COUNTS_MAX];
};

/* The length and the last eight bytes tell nearly all collections apart, without a pass over the bytes. An attacker may
 * know the hash: names that collide take PROBES slots at most. */
static unsigned slot_of(const uint8_t *name, size_t len)
{
    uint64_t tail = 0;
    if (len >= sizeof tail)
        memcpy(&tail, name + len - sizeof tail, sizeof tail);
    else
        memcpy(&tail, name, len);
    return (unsigned)(((tail ^ len) * 0x9e3779b97f4a7c15u) >> 54); /* 64 - log2(SLOTS) */
}

/* True for letters, digits, hyphens, and at least two dots, as in the names of lexicons (NSID). */
static bool is_collection(const uint8_t *name, size_t len)
{
    unsigned dots = 0;
    if (len == 0 || len > COLLECTION_COUNTS_NAME_BYTES)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = name[i], lower = c | 0x20;
        if (c == '.')
            dots++;
        else if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return dots >= 2;
}

/* Returns the entry of a name, or a new one; NULL if there is no room. */
static struct collection_count *find(struct collection_counts *c, const uint8_t *name, size_t len)
{
    unsigned first = slot_of(name, len);
    for (unsigned i = 0; i < PROBES; i++) {
        uint16_t *slot = &c->slots[(first + i) % SLOTS];
        if (*slot == EMPTY) {
            if (c->count == COLLECTION_COUNTS_MAX || !is_collection(name, len))
                return NULL;
            struct collection_count *fresh = &c->entries[c->count++];
            *fresh = (struct collection_count){.len = (uint8_t)len};
            memcpy(fresh->name, name, len);
            *slot = (uint16_t)c->count;
            return fresh;
        }
        struct collection_count *entry = &c->entries[*slot - 1];
        if (entry->len == len && memcmp(entry->name, name, len) == 0)
            return entry;
    }
    return NULL;
}

void collection_counts_count(struct collection_counts *c, const uint8_t *path, size_t len)
{
    const uint8_t *slash =
        memchr(path, '/', len < COLLECTION_COUNTS_NAME_BYTES + 1 ? len : COLLECTION_COUNTS_NAME_BYTES + 1);
    struct collection_count *entry = slash != NULL ? find(c, path, (size_t)(slash - path)) : NULL;
    if (entry != NULL)
        entry->events++;
    else
        c->other++;
}

static void rebuild(struct collection_counts *c)
{
    memset(c->slots, 0, sizeof c->slots);
    for (unsigned e = 0; e < c->count; e++) {
        unsigned slot = slot_of((const uint8_t *)c->entries[e].name, c->entries[e].len);
        while (c->slots[slot % SLOTS] != EMPTY)
            slot++;
        c->slots[slot % SLOTS] = (uint16_t)(e + 1);
    }
}

static void drop_quiet(struct collection_counts *c)
{
    unsigned kept = 0;
    for (unsigned e = 0; e < c->count; e++) {
        if (c->entries[e].quiet_s >= QUIET_S)
            c->other += c->entries[e].events;
        else
            c->entries[kept++] = c->entries[e];
    }
    if (kept == c->count)
        return;
    c->count = kept;
    rebuild(c);
}

void collection_counts_tick(struct collection_counts *c, double seconds)
{
    const struct collection_count *top[COLLECTION_COUNTS_LISTED];
    double weight = seconds >= 10 ? 1 : seconds / 10;
    for (unsigned e = 0; e < c->count && seconds > 0; e++) {
        struct collection_count *entry = &c->entries[e];
        double now = (double)(entry->events - entry->events_before) / seconds;
        entry->per_s += (now - entry->per_s) * weight;
        if (now > 0)
            entry->quiet_s = 0;
        else
            entry->quiet_s += (uint32_t)(seconds + 0.5);
        entry->events_before = entry->events;
    }
    if (c->count > CROWDED)
        drop_quiet(c);
    for (size_t i = collection_counts_top(c, top, COLLECTION_COUNTS_LISTED); i > 0; i--)
        c->entries[top[i - 1] - c->entries].is_listed = true;
}

/* Insertion into a short sorted list. */
size_t collection_counts_top(const struct collection_counts *c, const struct collection_count **top, size_t max)
{
    size_t count = 0;
    for (unsigned e = 0; e < c->count; e++) {
        const struct collection_count *entry = &c->entries[e];
        if (count == max && (max == 0 || top[count - 1]->events >= entry->events))
            continue;
        size_t at = count < max ? count++ : count - 1;
        for (; at > 0 && top[at - 1]->events < entry->events; at--)
            top[at] = top[at - 1];
        top[at] = entry;
    }
    return count;
}

size_t collection_counts_all(const struct collection_counts *c, const struct collection_count **entries)
{
    *entries = c->entries;
    return c->count;
}

uint64_t collection_counts_other(const struct collection_counts *c) { return c->other; }

struct collection_counts *collection_counts_new(void) { return calloc(1, sizeof(struct collection_counts)); }

void collection_counts_free(struct collection_counts *c) { free(c); }
