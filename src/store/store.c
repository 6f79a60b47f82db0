#include "config.h"

#include "store/store.h"

#include <stdlib.h>

#include "checkpoint.h"
#include "foreign.h"
#include "trim.h"
#include "usage.h"

struct store {
    struct session session;
    struct store_keys keys;
    struct store_hooks hooks;
    struct verify verify;
    struct letters letters;
    struct begin begin;
    struct checkpoint checkpoint;
    struct usage usage;
    struct foreign foreign;
    struct trim trim;
    bool begin_waits; /* until trim has looked for room, as a full Redis refuses to write the owner */
};

/* ---- the connection ---- */

static void make_room_and_begin(struct store *s)
{
    s->begin_waits = trim_look(&s->trim);
    if (!s->begin_waits)
        begin_start(&s->begin);
}

/* If the relay has changed, there is nothing to compare: what Redis held of the new one was never known here. */
static void on_ready(void *arg)
{
    struct store *s = arg;
    verify_connected(&s->verify, s->begin.order.kind != BEGIN_RELAY);
    usage_ask(&s->usage);
    make_room_and_begin(s);
}

static void on_looked(void *arg)
{
    struct store *s = arg;
    bool may_begin = s->begin_waits;
    s->begin_waits = false;
    if (may_begin)
        begin_start(&s->begin);
}

/* Only now may the dead letters be trimmed, too. */
static void on_letters_ready(void *arg) { make_room_and_begin(arg); }

static void on_answered(void *arg)
{
    struct store *s = arg;
    if (s->verify.is_verified && !begin_is_under_way(&s->begin))
        session_recovered(&s->session);
}

static void on_lost(void *arg)
{
    struct store *s = arg;
    s->checkpoint.in_flight = optional_none();
    letters_on_lost(&s->letters);
    usage_on_lost(&s->usage);
    foreign_on_lost(&s->foreign);
    s->begin_waits = false;
    trim_on_lost(&s->trim);
}

struct store *store_new(struct event_base *base, struct evdns_base *dns, const struct config *config,
                        struct owner_token *owner, struct known_marks *known, const struct store_hooks *hooks)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    const struct session_hooks mine = {.arg = s, .ready = on_ready, .answered = on_answered, .lost = on_lost};
    struct session *c = &s->session;
    s->hooks = *hooks;
    s->verify = (struct verify){.session = c, .keys = &s->keys, .hooks = &s->hooks, .known = known, .owner = owner};
    s->letters = (struct letters){.session = c, .ready = on_letters_ready, .arg = s};
    s->begin = (struct begin){
        .session = c, .verify = &s->verify, .letters = &s->letters, .keys = &s->keys, .hooks = &s->hooks,
        .owner = owner};
    s->begin.inherited.session = c;
    s->checkpoint = (struct checkpoint){.session = c, .verify = &s->verify, .begin = &s->begin, .keys = &s->keys,
                                        .hooks = &s->hooks, .owner = owner};
    s->usage.session = c;
    s->foreign.session = c;
    s->trim = (struct trim){.session = c, .usage = &s->usage, .verify = &s->verify, .begin = &s->begin,
                            .owner = owner, .looked = on_looked, .arg = s};
    on_lost(s);
    if (session_init(c, base, dns, config, &mine))
        return s;
    store_free(s);
    return NULL;
}

void store_free(struct store *s)
{
    if (s != NULL)
        session_fini(&s->session);
    if (s != NULL)
        inherited_forget(&s->begin.inherited);
    free(s);
}

void store_start(struct store *s) { session_open(&s->session); }
void store_restart(struct store *s) { session_open(&s->session); }
bool store_is_ready(const struct store *s) { return s->session.state == SESSION_READY; }
const char *store_state_name(const struct store *s) { return session_state_name(&s->session); }
const char *store_trouble(const struct store *s) { return s->session.trouble.text; }

/* ---- where to begin ---- */

static void begin(struct store *s, const struct store_keys *keys, enum begin_kind kind, struct optional cursor)
{
    s->keys = *keys;
    s->begin_waits = false;
    begin_want(&s->begin, (struct begin_order){.kind = kind, .cursor = cursor});
}

void store_begin(struct store *s, const struct store_keys *keys, bool rewind)
{
    begin(s, keys, rewind ? BEGIN_REWIND : BEGIN_FIRST, optional_none());
}

void store_begin_relay(struct store *s, const struct store_keys *keys)
{
    s->verify.saved = optional_none();
    begin(s, keys, BEGIN_RELAY, optional_none());
}

void store_begin_anew(struct store *s, const struct store_keys *keys, bool from_oldest)
{
    begin(s, keys, BEGIN_ANEW, from_oldest ? optional_of(0) : optional_none());
}

void store_begin_at(struct store *s, const struct store_keys *keys, int64_t cursor)
{
    begin(s, keys, BEGIN_AT, optional_of(cursor));
}

void store_take_slots(struct store *s)
{
    s->begin_waits = false;
    begin_want(&s->begin, (struct begin_order){.kind = BEGIN_SLOTS});
}

bool store_is_taking_slots(const struct store *s) { return s->begin.order.kind == BEGIN_SLOTS; }
bool store_has_inherited(const struct store *s, int64_t seq) { return inherited_has(&s->begin.inherited, seq); }
bool store_knows_relay(const struct store *s) { return s->verify.knows_relay; }

/* ---- the cursor ---- */

void store_save_cursor(struct store *s, int64_t cursor) { checkpoint_write(&s->checkpoint, cursor); }
bool store_is_saving(const struct store *s) { return s->checkpoint.in_flight.is_known; }
void store_check_owner(struct store *s) { checkpoint_check_owner(&s->checkpoint); }

/* ---- commands of other rooms ---- */

bool store_call(struct store *s, const struct buffer *resp, store_reply *on_reply, void *arg)
{
    bool may_ask = session_may_ask(&s->session) && !resp->failed;
    if (may_ask)
        session_call(&s->session, resp, on_reply, arg);
    return may_ask;
}

void store_forget_calls(struct store *s)
{
    if (s != NULL)
        session_forget_calls(&s->session);
}

void store_set(struct store *s, const char *key, const char *value, size_t len, int ttl_s)
{
    if (session_may_ask(&s->session) && !begin_is_under_way(&s->begin))
        session_tell(&s->session, "SET %s %b EX %d", key, value, len, ttl_s);
}

void store_publish(struct store *s, const char *channel, const char *message, size_t len)
{
    if (session_may_ask(&s->session))
        session_tell(&s->session, "PUBLISH %s %b", channel, message, len);
}

/* ---- what Redis says of itself ---- */

void store_tick(struct store *s, const struct store_tally *ours)
{
    usage_ask(&s->usage);
    if (begin_is_under_way(&s->begin))
        foreign_on_lost(&s->foreign);
    else
        foreign_tick(&s->foreign, ours);
    trim_look(&s->trim);
}

const char *store_memory_note(const struct store *s) { return s->trim.note; }
uint64_t store_trimmed(const struct store *s) { return s->trim.trimmed; }
const struct store_usage *store_usage(const struct store *s) { return &s->usage.now; }
uint64_t store_foreign_entries(const struct store *s) { return s->foreign.entries; }
