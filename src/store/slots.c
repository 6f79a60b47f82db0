#include "config.h"

#include "slots.h"

#include <stdio.h>

enum standing slots_standing(const struct owner_token *ours, const char *text, struct owner_token *found)
{
    if (text == NULL || !owner_parse(text, found)) {
        *found = (struct owner_token){0};
        return STANDING_NOBODYS;
    }
    if (owner_epoch(found) < owner_epoch(ours))
        return STANDING_OUTDATED;
    return found->instance == ours->instance ? STANDING_OURS : STANDING_SUCCESSOR;
}

struct owner_token slots_next_token(const struct owner_token *ours, const struct owner_token *found, bool new_epoch)
{
    struct owner_token next = *ours;
    if (new_epoch) {
        uint64_t theirs = owner_epoch(found), last = owner_epoch(ours);
        next.generation = ((theirs > last ? theirs : last) + 1) << 32;
    }
    next.generation++;
    return next;
}

void slots_master_key(const struct config *config, char out[OWNER_KEY_BYTES])
{
    snprintf(out, OWNER_KEY_BYTES, "%s:master", config->owner_key);
}

void slots_watch(struct session *c)
{
    char key[OWNER_KEY_BYTES];
    slots_master_key(c->config, key);
    session_tell(c, "WATCH %s", key);
}

void slots_ask(struct session *c, store_reply *on_reply, void *arg)
{
    char key[OWNER_KEY_BYTES];
    slots_master_key(c->config, key);
    session_ask(c, on_reply, arg, "GET %s", key);
}

void slots_append_owner(struct session *c, const struct owner_token *token)
{
    char text[OWNER_TOKEN_BYTES], key[OWNER_KEY_BYTES];
    owner_format(token, text);
    slots_master_key(c->config, key);
    session_tell(c, "SET %s %s", key, text);
}

void slots_append_all(struct session *c, const struct owner_token *token)
{
    char text[OWNER_TOKEN_BYTES], key[OWNER_KEY_BYTES];
    owner_format(token, text);
    slots_append_owner(c, token);
    for (unsigned slot = 0; slot < WORKERS_MAX; slot++) {
        owner_key(c->config->owner_key, slot, key);
        session_tell(c, "SET %s %s", key, text);
    }
}

void slots_take(struct session *c, const struct owner_token *token, store_reply *on_reply, void *arg)
{
    session_tell(c, "MULTI");
    slots_append_all(c, token);
    session_ask(c, on_reply, arg, "EXEC");
}
