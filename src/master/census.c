#include "config.h"

#include "master/census.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 1024, /* four an entry: hardly ever a second look */
    PROBES = 8,   /* names made to collide count as other, and cost no more than this */
    EMPTY = 0,    /* a slot's value; else the entry's number plus one */
    QUIET_S = 300,
    CROWDED = CENSUS_MAX * 3 / 4,
};

struct census {
    unsigned count;
    uint64_t other;
    uint16_t slots[SLOTS];
    struct census_entry entries[CENSUS_MAX];
};

/* Collections differ at their ends: length and last eight bytes tell nearly all of them apart, without a pass over
 * the bytes. The table is no secret and holds no more than PROBES of a kind. */
static unsigned slot_of(const uint8_t *name, size_t len)
{
    uint64_t tail = 0;
    if (len >= sizeof tail)
        memcpy(&tail, name + len - sizeof tail, sizeof tail);
    else
        memcpy(&tail, name, len);
    return (unsigned)(((tail ^ len) * 0x9e3779b97f4a7c15u) >> 54); /* 64 - log2(SLOTS) */
}

/* Letters, digits, hyphens, and at least two dots, as the names of lexicons have (NSID). */
static bool is_collection(const uint8_t *name, size_t len)
{
    unsigned dots = 0;
    if (len == 0 || len > CENSUS_NAME_BYTES)
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

/* Its entry, or a new one; NULL: there is no room. */
static struct census_entry *find(struct census *c, const uint8_t *name, size_t len)
{
    unsigned first = slot_of(name, len);
    for (unsigned i = 0; i < PROBES; i++) {
        uint16_t *slot = &c->slots[(first + i) % SLOTS];
        if (*slot == EMPTY) {
            if (c->count == CENSUS_MAX || !is_collection(name, len))
                return NULL;
            struct census_entry *fresh = &c->entries[c->count++];
            *fresh = (struct census_entry){.len = (uint8_t)len};
            memcpy(fresh->name, name, len);
            *slot = (uint16_t)c->count;
            return fresh;
        }
        struct census_entry *entry = &c->entries[*slot - 1];
        if (entry->len == len && memcmp(entry->name, name, len) == 0)
            return entry;
    }
    return NULL;
}

void census_count(struct census *c, const uint8_t *path, size_t len)
{
    const uint8_t *slash = memchr(path, '/', len < CENSUS_NAME_BYTES + 1 ? len : CENSUS_NAME_BYTES + 1);
    struct census_entry *entry = slash != NULL ? find(c, path, (size_t)(slash - path)) : NULL;
    if (entry != NULL)
        entry->events++;
    else
        c->other++;
}

static void rebuild(struct census *c)
{
    memset(c->slots, 0, sizeof c->slots);
    for (unsigned e = 0; e < c->count; e++) {
        unsigned slot = slot_of((const uint8_t *)c->entries[e].name, c->entries[e].len);
        while (c->slots[slot % SLOTS] != EMPTY)
            slot++;
        c->slots[slot % SLOTS] = (uint16_t)(e + 1);
    }
}

static void drop_quiet(struct census *c)
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

void census_tick(struct census *c, double seconds)
{
    const struct census_entry *top[CENSUS_LISTED];
    double weight = seconds >= 10 ? 1 : seconds / 10;
    for (unsigned e = 0; e < c->count && seconds > 0; e++) {
        struct census_entry *entry = &c->entries[e];
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
    for (size_t i = census_top(c, top, CENSUS_LISTED); i > 0; i--)
        c->entries[top[i - 1] - c->entries].is_listed = true;
}

/* Insertion into a short sorted list. */
size_t census_top(const struct census *c, const struct census_entry **top, size_t max)
{
    size_t count = 0;
    for (unsigned e = 0; e < c->count; e++) {
        const struct census_entry *entry = &c->entries[e];
        if (count == max && (max == 0 || top[count - 1]->events >= entry->events))
            continue;
        size_t at = count < max ? count++ : count - 1;
        for (; at > 0 && top[at - 1]->events < entry->events; at--)
            top[at] = top[at - 1];
        top[at] = entry;
    }
    return count;
}

size_t census_all(const struct census *c, const struct census_entry **entries)
{
    *entries = c->entries;
    return c->count;
}

uint64_t census_other(const struct census *c)
{
    return c->other;
}

struct census *census_new(void)
{
    return calloc(1, sizeof(struct census));
}

void census_free(struct census *c)
{
    free(c);
}
