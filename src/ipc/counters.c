#include "config.h"

#include "ipc/counters.h"

#include <stdio.h>
#include <sys/mman.h>

static const char *const names[COUNTERS] = {
    [COUNTER_WRITTEN] = "written",
    [COUNTER_FILTERED] = "filtered",
    [COUNTER_QUARANTINED] = "quarantined",
    [COUNTER_DUPLICATE] = "duplicate",
    [COUNTER_OP_NO_CID] = "ops_no_cid",
    [COUNTER_OP_NO_BLOCK] = "ops_no_block",
    [COUNTER_OP_HASH_MISMATCH] = "ops_hash_mismatch",
    [COUNTER_OP_NO_TYPE] = "ops_no_type",
    [COUNTER_OP_BAD_RECORD] = "ops_bad_record",
    [COUNTER_OP_FILTERED] = "ops_filtered",
    [COUNTER_BATCHES] = "batches",
    [COUNTER_BYTES_WRITTEN] = "bytes_written",
    [COUNTER_RETRIES] = "retries",
    [COUNTER_REDIS_CONNECTS] = "redis_connects",
};

const char *counter_name(enum counter c) { return names[c]; }

const char *worker_state_name(enum worker_state s)
{
    static const char *const states[] = {"starting", "connecting", "ready", "retrying", "draining"};
    return states[s];
}

struct counters *counters_new(void)
{
    void *memory = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

uint64_t counters_total(const struct counters *counters, enum counter c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof counters->workers / sizeof counters->workers[0]; i++)
        sum += atomic_load_explicit(&counters->workers[i].counters[c], memory_order_relaxed);
    return sum;
}

void worker_slot_set(struct worker_slot *slot, enum worker_state state, const char *note)
{
    atomic_store_explicit(&slot->state, state, memory_order_relaxed);
    if (note != NULL)
        snprintf(slot->note, sizeof slot->note, "%s", note);
}
