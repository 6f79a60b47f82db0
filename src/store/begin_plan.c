#include "config.h"

#include "begin_plan.h"

static struct optional older(struct optional a, struct optional b)
{
    return !b.is_known || (a.is_known && a.value <= b.value) ? a : b;
}

/* Bits of the marks above the cursor that must not stay there. Marks above a cursor that this firehosed saved itself
 * are in order: the cursor is saved every few seconds only. */
static uint64_t marks_too_high(const struct begin_order *order, const struct begin_found *found, int64_t cursor)
{
    uint64_t high = 0;
    bool is_ours = order->kind != BEGIN_AT && optional_is(found->record.copy, cursor);
    for (int p = 0; p < PARTITIONS && (!is_ours || found->stream_is_gone); p++)
        if (found->marks.seq[p] > cursor)
            high |= UINT64_C(1) << p;
    return high;
}

struct begin_plan begin_plan(const struct begin_order *order, const struct begin_found *found)
{
    struct begin_plan plan = {.cursor = found->cursor, .marks = found->marks};
    switch (order->kind) {
    case BEGIN_REWIND:
        plan.cursor = older(found->cursor, found->record.copy);
        return plan;
    case BEGIN_AT:
        plan.cursor = order->cursor;
        break;
    case BEGIN_ANEW:
        plan.cursor = order->cursor;
        plan.drops_saved = true;
        break;
    default:
        plan.drops_another_relays = found->record.knows_relay && !found->record.is_same_relay;
        /* Whoever deleted the cursor, and not its copy, wants to begin anew. */
        plan.drops_saved = plan.drops_another_relays || (!found->cursor.is_known && found->record.copy.is_known);
        if (plan.drops_another_relays)
            plan.cursor = optional_none();
    }
    if (plan.drops_saved)
        plan.marks = (struct marks){0};
    else if (plan.cursor.is_known)
        plan.lowered = marks_too_high(order, found, plan.cursor.value);
    for (int p = 0; p < PARTITIONS; p++)
        if (plan.lowered >> p & 1)
            plan.marks.seq[p] = plan.cursor.value;
    return plan;
}
