#include "config.h"

#include "relay/sequence.h"

#include <string.h>

#include "ring/router.h"

static bool is_text(struct slice s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

static struct sequence_decision decision(enum sequence_action action, enum sequence_reason reason)
{
    return (struct sequence_decision){.action = action, .reason = reason};
}

/* On a small host half of the whole sequence may be less than the usual slack. */
static int64_t slack(int64_t last) { return last / 2 < SEQUENCE_SLACK ? last / 2 : SEQUENCE_SLACK; }

/* A relay that was not asked for any place cannot call the place wrong: then FutureCursor is an error like any other,
 * or asking and resetting would alternate without a pause. */
static struct sequence_decision decide_error(const struct sequence *s, const struct frame_peek *peek)
{
    if (s->last.is_known && s->last.value > 0 && is_text(peek->name, "FutureCursor"))
        return decision(SEQUENCE_RESET, BECAUSE_FUTURE_CURSOR);
    return decision(SEQUENCE_RECONNECT, BECAUSE_RELAY_ERROR);
}

/* A frame whose seq cannot be read tells nothing about the held one, but must not overtake it. */
static enum held_outcome judge_held(const struct sequence *s, const struct frame_peek *peek)
{
    if (s->held.id == 0 || (peek->has_seq && (peek->seq <= s->last.value || peek->seq == s->held.seq)))
        return HELD_STAYS;
    if (s->wrong.is_known && peek->has_seq && peek->seq <= s->wrong.value)
        return HELD_IMPLAUSIBLE; /* the relay sends again what it was left for */
    return peek->has_seq && peek->seq > s->held.seq ? HELD_CONFIRMED : HELD_IMPLAUSIBLE;
}

static bool is_far_below(const struct sequence *s, int64_t seq)
{
    return s->is_first && s->last.is_known && seq < s->last.value - slack(s->last.value);
}

static struct behind_run run_with(const struct behind_run *run, int64_t seq)
{
    bool ascends = run->count > 0 && seq > run->last;
    return (struct behind_run){
        .count = run->count + 1,
        .ascending = ascends ? run->ascending + 1 : 1,
        .first = ascends ? run->first : seq,
        .last = seq,
    };
}

static int64_t recent_at(const struct recent_seqs *r, size_t number) { return r->seq[number % SEQUENCE_RECENT]; }

/* The gap between two recent seqs that has the whole run inside. Returns false if there is none. */
static bool find_gap(const struct sequence *s, const struct behind_run *run, int64_t *from, int64_t *to)
{
    const struct recent_seqs *r = &s->recent;
    for (size_t i = r->count; i > 1 && r->count - i < SEQUENCE_RECENT - 1; i--) {
        *from = recent_at(r, i - 2);
        *to = recent_at(r, i - 1);
        if (*from < run->first && run->last < *to)
            return true;
    }
    return false;
}

static struct sequence_decision decide_behind(const struct sequence *s, int64_t seq)
{
    const struct behind_run run = run_with(&s->behind, seq);
    if (run.ascending >= SEQUENCE_CONSISTENT && is_far_below(s, seq))
        return decision(SEQUENCE_RESET, BECAUSE_FAR_BELOW);
    int64_t from, to;
    if (run.ascending >= SEQUENCE_CONSISTENT && find_gap(s, &run, &from, &to) &&
        (!s->went_back.is_known || from > s->went_back.value)) /* once to each place: else it might never end */
        return decision(SEQUENCE_GO_BACK, BECAUSE_WRONG_JUMP);
    return run.count > SEQUENCE_SLACK ? decision(SEQUENCE_RESET, BECAUSE_WENT_BACK)
                                      : decision(SEQUENCE_SKIP, BECAUSE_BEHIND);
}

static int64_t largest_gap(const struct sequence *s) { return s->largest_gap > 0 ? s->largest_gap : SEQUENCE_JUMP; }

static struct sequence_decision decide_event(const struct sequence *s, const struct sequence_input *in)
{
    const struct frame_peek *peek = in->peek;
    struct sequence_decision d = {.action = SEQUENCE_TAKE, .held = judge_held(s, peek)};
    if (peek->did.ptr != NULL)
        d.partition = route_partition(peek->did.ptr, peek->did.len);
    int64_t last = d.held == HELD_CONFIRMED ? s->held.seq : s->last.value;
    d.begins = peek->has_seq && s->is_first && !s->last.is_known && !s->saved.is_known;
    bool is_held = s->held.id != 0 && d.held == HELD_STAYS;
    if (peek->has_seq && ((s->last.is_known && peek->seq <= last) || (is_held && peek->seq == s->held.seq)))
        return decide_behind(s, peek->seq);
    if (!in->has_room)
        return decision(SEQUENCE_WAIT, BECAUSE_WANTED);
    if (peek->has_seq && last > 0 && peek->seq - last > largest_gap(s)) {
        d.action = SEQUENCE_HOLD;
    } else if (!in->is_wanted || in->is_duplicate) {
        d.action = SEQUENCE_DONE;
        d.reason = in->is_duplicate ? BECAUSE_DUPLICATE : BECAUSE_FILTERED;
    }
    return d;
}

struct sequence_decision sequence_decide(const struct sequence *s, const struct sequence_input *in)
{
    if (in->peek->kind == FRAME_INFO)
        return decision(SEQUENCE_SKIP,
                        is_text(in->peek->name, "OutdatedCursor") ? BECAUSE_OUTDATED_CURSOR : BECAUSE_INFO);
    if (in->peek->kind == FRAME_ERROR)
        return decide_error(s, in->peek);
    if (in->search != SEARCH_TAKE)
        return decision(in->search == SEARCH_SKIP ? SEQUENCE_SKIP : SEQUENCE_RECONNECT, BECAUSE_SEARCHING);
    return decide_event(s, in);
}

static void forget_wrong_jump(struct sequence *s)
{
    s->wrong = optional_none();
    s->largest_gap = 0;
}

static void put_recent(struct recent_seqs *r, int64_t seq) { r->seq[r->count++ % SEQUENCE_RECENT] = seq; }

/* Takes a seq as the newest one. */
static void advance(struct sequence *s, int64_t seq)
{
    if (s->recent.count == 0 && s->last.is_known)
        put_recent(&s->recent, s->last.value);
    put_recent(&s->recent, seq);
    s->last = optional_of(seq);
    if (s->wrong.is_known && seq >= s->wrong.value)
        forget_wrong_jump(s);
}

/* The relay may send the wrong seq again: from now on a jump of half that size waits for the next message. */
static void go_back(struct sequence *s, int64_t seq)
{
    const struct behind_run run = run_with(&s->behind, seq);
    int64_t from, to;
    if (!find_gap(s, &run, &from, &to))
        return;
    s->back = s->went_back = optional_of(from);
    s->wrong = s->last;
    s->largest_gap = (to - from) / 2;
}

void sequence_apply(struct sequence *s, const struct sequence_input *in, const struct sequence_decision *d,
                    uint64_t record)
{
    const struct frame_peek *peek = in->peek;
    bool is_event = peek->kind != FRAME_INFO && peek->kind != FRAME_ERROR && in->search == SEARCH_TAKE;
    if (d->action == SEQUENCE_WAIT || !is_event)
        return;
    if (d->action == SEQUENCE_GO_BACK) {
        go_back(s, peek->seq);
        return;
    }
    s->is_first = s->is_first && (!peek->has_seq || is_far_below(s, peek->seq));
    if (d->held == HELD_CONFIRMED)
        advance(s, s->held.seq);
    if (d->held != HELD_STAYS)
        s->held.id = 0;
    if (d->begins) {
        s->first = optional_of(peek->seq > 0 ? peek->seq - 1 : 0);
        s->begun = s->first;
    }
    s->behind = d->reason == BECAUSE_BEHIND ? run_with(&s->behind, peek->seq) : (struct behind_run){0};
    if (d->action == SEQUENCE_HOLD)
        s->held = (struct held_frame){record, peek->seq, in->is_wanted, in->is_duplicate, *peek};
    else if ((d->action == SEQUENCE_TAKE || d->action == SEQUENCE_DONE) && peek->has_seq)
        advance(s, peek->seq);
}

struct optional sequence_asks_for(const struct sequence *s)
{
    return s->last.is_known ? s->last : s->asks_oldest ? optional_of(0) : optional_none();
}

struct optional sequence_cursor(const struct sequence *s) { return s->saved.is_known ? s->saved : s->first; }

void sequence_connected(struct sequence *s)
{
    if (!s->is_first) /* a host may close each connection after a few events */
        s->behind = (struct behind_run){0};
    s->is_first = true;
}

void sequence_forget_held(struct sequence *s) { s->held.id = 0; }

void sequence_continue_at(struct sequence *s, int64_t cursor) { s->last = s->saved = optional_of(cursor); }

void sequence_continue_unsaved(struct sequence *s, int64_t cursor)
{
    s->last = s->first = optional_of(cursor);
    s->saved = optional_none();
}

void sequence_go_back_to(struct sequence *s, int64_t cursor) { s->last = optional_of(cursor); }

void sequence_begin_at(struct sequence *s, int64_t cursor) { s->begun = optional_of(cursor); }

void sequence_saved(struct sequence *s, int64_t cursor)
{
    s->saved = optional_of(cursor);
    s->first = optional_none();
}

void sequence_ask_oldest(struct sequence *s, bool oldest) { s->asks_oldest = oldest; }

void sequence_forget_back(struct sequence *s) { s->back = optional_none(); }

void sequence_reset(struct sequence *s)
{
    if (!s->back.is_known) {
        forget_wrong_jump(s);
        s->went_back = optional_none();
    }
    s->last = s->saved = s->first = s->begun = s->back = optional_none();
    s->recent.count = 0;
}
