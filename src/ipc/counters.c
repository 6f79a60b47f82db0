#include "config.h"

#include "ipc/counters.h"

#include <stdio.h>

const char *worker_state_name(int state)
{
    static const char *const states[] = {"starting", "connecting", "ready", "retrying", "draining"};
    return state >= 0 && state <= WORKER_DRAINING ? states[state] : "unknown";
}

struct counters *counters_new(void) { return worker_pages_new(); }

uint64_t counters_total(const struct counters *counters, enum counter c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof counters->workers / sizeof counters->workers[0]; i++)
        sum += atomic_load_explicit(&counters->workers[i].slot.counters[c], memory_order_relaxed);
    return sum;
}

void worker_slot_set(struct worker_slot *slot, enum worker_state state, const char *note)
{
    atomic_store_explicit(&slot->state, state, memory_order_relaxed);
    if (note != NULL)
        snprintf(slot->note, sizeof slot->note, "%s", note);
}
