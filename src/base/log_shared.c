#include "config.h"

#include "base/log_shared.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log_format.h"

struct entry {
    _Atomic uint64_t number; /* of the line, from 1; 0 while a process writes the entry */
    struct log_recent line;
};

static struct ring {
    _Atomic uint64_t newest; /* number of the newest line */
    _Atomic bool has_lost_syslog;
    struct entry entries[LOG_RECENT_LINES];
} *the_ring;

void log_share(void)
{
    void *memory = mmap(NULL, sizeof *the_ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    the_ring = memory == MAP_FAILED ? NULL : memory;
}

void log_recent_add(int64_t time_us, enum log_level level, int pid, const char *process, const char *text)
{
    if (the_ring == NULL)
        return;
    uint64_t number = atomic_fetch_add(&the_ring->newest, 1) + 1;
    struct entry *e = &the_ring->entries[number % LOG_RECENT_LINES];
    atomic_store(&e->number, 0);
    atomic_thread_fence(memory_order_release);
    e->line.time_us = time_us;
    e->line.level = level;
    e->line.pid = pid;
    snprintf(e->line.process, sizeof e->line.process, "%s", process);
    snprintf(e->line.text, sizeof e->line.text, "%s", text);
    atomic_store_explicit(&e->number, number, memory_order_release);
}

void log_note_syslog_loss(void)
{
    if (the_ring != NULL)
        atomic_store(&the_ring->has_lost_syslog, true);
}

bool log_take_syslog_loss(void) { return the_ring != NULL && atomic_exchange(&the_ring->has_lost_syslog, false); }

/* Copies line `number`. Returns false if the entry holds another line, or is not whole yet. */
static bool take(const struct entry *e, uint64_t number, struct log_recent *out)
{
    if (atomic_load_explicit(&e->number, memory_order_acquire) != number)
        return false;
    *out = e->line;
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&e->number, memory_order_relaxed) != number)
        return false;
    out->process[sizeof out->process - 1] = '\0';
    out->text[sizeof out->text - 1] = '\0';
    log_make_printable(out->process);
    log_make_printable(out->text);
    return (unsigned)out->level <= LOG_LEVEL_ERROR;
}

size_t log_recent_read(struct log_recent *out, size_t max)
{
    size_t n = 0;
    if (the_ring == NULL)
        return 0;
    uint64_t newest = atomic_load(&the_ring->newest);
    for (uint64_t i = 0; i < LOG_RECENT_LINES && i < newest && n < max; i++)
        n += take(&the_ring->entries[(newest - i) % LOG_RECENT_LINES], newest - i, &out[n]);
    return n;
}
