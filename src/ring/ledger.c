#include "config.h"

#include "ring/ledger.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/verdict.h"
#include "ring/ring.h"
#include "ring/router.h"

enum {
    FIRST_RECORDS = 1024,
    /* A relay that sends only tiny frames must not make the records larger than the ring. Below this mean size of a
     * frame, the ring counts as full by its records. */
    MEAN_FRAME_BYTES = 64,
};

/* A record's flags: done, suspect, points in between, and the verdict. */
enum {
    RECORD_DONE = 1,
    RECORD_SUSPECT = 2,
    POINTS_SHIFT = 2,
    POINTS_MASK = 7,
    VERDICT_SHIFT = 5,
};
enum { HELD = 0x80 }; /* on a record's partition: it is held */

struct record {
    uint64_t at;  /* position of the frame */
    uint64_t end; /* the tail may move here once this is committed */
    int64_t seq;
    uint64_t next; /* id of the next record of the same worker, 0: none yet */
    uint32_t len;
    uint8_t partition;
    uint8_t kind;
    uint8_t flags;
    uint8_t cause; /* of the verdict */
};

/* One worker's records that are not committed, linked in order. Ids; 0: none. */
struct queue {
    uint64_t first;
    uint64_t unsent;
    uint64_t last;
    size_t count;
    size_t sent;     /* of them */
    size_t suspects; /* among them */
};

struct ledger {
    struct ring ring;
    uint64_t tail, window, head;
    struct record *records; /* ring: record id lies at id & (record_cap - 1) */
    size_t record_cap;      /* a power of two */
    size_t record_max;
    uint64_t oldest, newest; /* ids kept: [oldest, newest) */
    struct queue queues[WORKERS_MAX];
    unsigned workers;
    int64_t cursor;
    bool has_cursor;
};

struct ledger *ledger_new(size_t bytes, unsigned workers, struct error *why)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (bytes + page - 1) / page * page;
    struct ledger *l = calloc(1, sizeof *l);
    if (l != NULL) {
        l->workers = workers;
        l->record_cap = FIRST_RECORDS;
        l->record_max = size / MEAN_FRAME_BYTES;
        l->oldest = l->newest = 1;
        l->records = malloc(l->record_cap * sizeof *l->records);
    }
    if (l == NULL || l->records == NULL) {
        error_set(why, "ring: out of memory");
        free(l);
        return NULL;
    }
    if (!ring_map(&l->ring, size, why)) {
        free(l->records);
        free(l);
        return NULL;
    }
    return l;
}

void ledger_free(struct ledger *l)
{
    if (l == NULL)
        return;
    ring_unmap(&l->ring);
    free(l->records);
    free(l);
}

const uint8_t *ledger_view(const struct ledger *l) { return l->ring.view; }

static struct record *record_of(const struct ledger *l, uint64_t id) { return &l->records[id & (l->record_cap - 1)]; }

/* ---- the window ---- */

uint8_t *ledger_window(struct ledger *l, size_t *filled, size_t *room)
{
    /* An empty ring begins at the front again, where the pages are warm: a ring that keeps up touches little memory. */
    if (l->tail == l->head) {
        l->head = (l->head + l->ring.size - 1) / l->ring.size * l->ring.size;
        l->tail = l->window = l->head;
    }
    *filled = (size_t)(l->head - l->window);
    *room = l->newest - l->oldest >= l->record_max ? 0 : l->ring.size - (size_t)(l->head - l->tail);
    return l->ring.bytes + l->window % l->ring.size;
}

void ledger_filled(struct ledger *l, size_t n) { l->head += n; }

void ledger_shrink(struct ledger *l, size_t n) { l->head -= n; }

void ledger_skip(struct ledger *l, size_t n)
{
    l->window += n;
    if (l->oldest == l->newest)
        l->tail = l->window;
}

void ledger_clear_window(struct ledger *l) { l->head = l->window; }

/* ---- records ---- */

bool ledger_has_room(struct ledger *l)
{
    if (l->newest - l->oldest < l->record_cap)
        return true;
    size_t cap = l->record_cap * 2;
    struct record *records = malloc(cap * sizeof *records);
    if (records == NULL)
        return false;
    for (uint64_t id = l->oldest; id < l->newest; id++)
        records[id & (cap - 1)] = *record_of(l, id);
    free(l->records);
    l->records = records;
    l->record_cap = cap;
    return true;
}

static void enqueue(struct ledger *l, unsigned worker, uint64_t id)
{
    struct queue *q = &l->queues[worker];
    record_of(l, id)->next = 0;
    if (q->last != 0)
        record_of(l, q->last)->next = id;
    else
        q->first = id;
    if (q->unsent == 0)
        q->unsent = id;
    q->last = id;
    q->count++;
    q->suspects += (record_of(l, id)->flags & RECORD_SUSPECT) != 0;
}

/* Appends a record for the message at window[offset..offset+len) and drops window[0..consumed). Returns 0 if
 * memory is short. */
static uint64_t append(struct ledger *l, size_t offset, size_t len, size_t consumed, int64_t seq, unsigned partition,
                       uint8_t kind)
{
    if (!ledger_has_room(l))
        return 0;
    uint64_t id = l->newest++;
    *record_of(l, id) = (struct record){
        .at = l->window + offset,
        .end = l->window + consumed,
        .seq = seq,
        .len = (uint32_t)len,
        .partition = (uint8_t)partition,
        .kind = kind,
    };
    l->window += consumed;
    return id;
}

uint64_t ledger_take(struct ledger *l, size_t offset, size_t len, size_t consumed, int64_t seq, uint16_t partition,
                     uint8_t kind, unsigned worker)
{
    uint64_t id = append(l, offset, len, consumed, seq, partition, kind);
    if (id != 0)
        enqueue(l, worker, id);
    return id;
}

/* Moves the tail over committed records. */
static void advance(struct ledger *l)
{
    while (l->oldest < l->newest && (record_of(l, l->oldest)->flags & RECORD_DONE)) {
        const struct record *r = record_of(l, l->oldest);
        l->tail = r->end;
        if (r->seq != 0 && r->flags >> VERDICT_SHIFT != VERDICT_IMPLAUSIBLE) {
            l->cursor = r->seq;
            l->has_cursor = true;
        }
        l->oldest++;
    }
    if (l->oldest == l->newest)
        l->tail = l->window;
}

uint64_t ledger_hold(struct ledger *l, size_t offset, size_t len, size_t consumed, int64_t seq, uint16_t partition,
                     uint8_t kind)
{
    return append(l, offset, len, consumed, seq, partition | HELD, kind);
}

void ledger_release(struct ledger *l, uint64_t id)
{
    struct record *r = record_of(l, id);
    r->partition &= (uint8_t)~HELD;
    enqueue(l, route_worker(r->partition, l->workers), id);
}

void ledger_drop_held(struct ledger *l, uint64_t id, int64_t seq)
{
    struct record *r = record_of(l, id);
    r->partition &= (uint8_t)~HELD;
    r->seq = seq;
    r->flags |= RECORD_DONE;
    advance(l);
}

bool ledger_take_done(struct ledger *l, size_t consumed, int64_t seq)
{
    if (!ledger_has_room(l))
        return false;
    l->window += consumed;
    *record_of(l, l->newest++) = (struct record){.end = l->window, .seq = seq, .flags = RECORD_DONE};
    advance(l);
    return true;
}

static void describe(const struct ledger *l, uint64_t id, struct ledger_record *out)
{
    const struct record *r = record_of(l, id);
    *out = (struct ledger_record){
        .id = id,
        .seq = r->seq,
        .at = (size_t)(r->at % l->ring.size),
        .len = r->len,
        .partition = r->partition,
        .kind = r->kind,
        .verdict = r->flags >> VERDICT_SHIFT,
        .cause = r->cause,
        .is_suspect = (r->flags & RECORD_SUSPECT) != 0,
    };
}

bool ledger_next_unsent(const struct ledger *l, unsigned worker, struct ledger_record *out)
{
    uint64_t id = l->queues[worker].unsent;
    if (id != 0)
        describe(l, id, out);
    return id != 0;
}

bool ledger_unsent_after(const struct ledger *l, uint64_t previous, struct ledger_record *out)
{
    uint64_t id = record_of(l, previous)->next;
    if (id != 0)
        describe(l, id, out);
    return id != 0;
}

void ledger_sent(struct ledger *l, unsigned worker, uint64_t id)
{
    struct queue *q = &l->queues[worker];
    for (uint64_t end = record_of(l, id)->next; q->unsent != end; q->sent++)
        q->unsent = record_of(l, q->unsent)->next;
}

size_t ledger_commit(struct ledger *l, unsigned worker, uint64_t id)
{
    struct queue *q = &l->queues[worker];
    size_t count = 0;
    while (q->first != 0 && q->first <= id && q->first != q->unsent) {
        struct record *r = record_of(l, q->first);
        r->flags |= RECORD_DONE;
        q->suspects -= (r->flags & RECORD_SUSPECT) != 0;
        q->first = r->next;
        q->count--;
        q->sent--;
        count++;
    }
    if (q->first == 0)
        q->last = 0;
    advance(l);
    return count;
}

static void suspect_it(struct ledger *l, struct queue *q, uint64_t id)
{
    struct record *r = record_of(l, id);
    q->suspects += !(r->flags & RECORD_SUSPECT);
    r->flags |= RECORD_SUSPECT;
}

size_t ledger_unsend(struct ledger *l, unsigned worker, bool suspect)
{
    struct queue *q = &l->queues[worker];
    size_t count = q->sent;
    if (suspect)
        for (uint64_t id = q->first; id != 0 && id != q->unsent; id = record_of(l, id)->next)
            suspect_it(l, q, id);
    q->unsent = q->first;
    q->sent = 0;
    return count;
}

bool ledger_has_suspects(const struct ledger *l, unsigned worker) { return l->queues[worker].suspects > 0; }

bool ledger_outstanding(const struct ledger *l, unsigned worker, struct ledger_record *out)
{
    const struct queue *q = &l->queues[worker];
    if (q->first == 0 || q->first == q->unsent)
        return false;
    describe(l, q->first, out);
    return true;
}

size_t ledger_outstanding_count(const struct ledger *l, unsigned worker) { return l->queues[worker].sent; }

unsigned ledger_blame(struct ledger *l, uint64_t id, unsigned points, uint8_t verdict, uint8_t cause)
{
    struct record *r = record_of(l, id);
    points += r->flags >> POINTS_SHIFT & POINTS_MASK;
    if (points > POINTS_MASK)
        points = POINTS_MASK;
    r->flags = (uint8_t)((r->flags & ~(POINTS_MASK << POINTS_SHIFT)) | points << POINTS_SHIFT);
    if (points >= POISON_POINTS) {
        ledger_condemn(l, id, verdict);
        r->cause = cause;
    }
    return points;
}

void ledger_condemn(struct ledger *l, uint64_t id, uint8_t verdict)
{
    struct record *r = record_of(l, id);
    r->flags = (uint8_t)((r->flags & ((1 << VERDICT_SHIFT) - 1)) | verdict << VERDICT_SHIFT);
}

bool ledger_reroute(struct ledger *l, unsigned workers)
{
    if (workers == 0 || workers > WORKERS_MAX)
        return false;
    memset(l->queues, 0, sizeof l->queues);
    l->workers = workers;
    for (uint64_t id = l->oldest; id < l->newest; id++) {
        const struct record *r = record_of(l, id);
        if (!(r->flags & RECORD_DONE) && !(r->partition & HELD))
            enqueue(l, route_worker(r->partition, workers), id);
    }
    return true;
}

size_t ledger_reset(struct ledger *l)
{
    size_t open = 0;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        open += l->queues[i].count;
    memset(l->queues, 0, sizeof l->queues);
    l->oldest = l->newest;
    l->tail = l->window = l->head;
    l->has_cursor = false;
    return open;
}

bool ledger_cursor(const struct ledger *l, int64_t *seq)
{
    if (l->has_cursor)
        *seq = l->cursor;
    return l->has_cursor;
}

bool ledger_is_committed(const struct ledger *l, uint64_t id) { return id < l->oldest; }

size_t ledger_used_bytes(const struct ledger *l) { return (size_t)(l->head - l->tail); }
size_t ledger_size_bytes(const struct ledger *l) { return l->ring.size; }
size_t ledger_record_count(const struct ledger *l) { return (size_t)(l->newest - l->oldest); }
unsigned ledger_workers(const struct ledger *l) { return l->workers; }
size_t ledger_queue_length(const struct ledger *l, unsigned worker) { return l->queues[worker].count; }
