/* slots.h: fencing, the master's half: who owns the slots, and taking them.
 *
 *   WATCH owner:master · GET owner:master               who owns the slots
 *   MULTI · SET owner:master · SET owner:0 … 63 · EXEC  ours from now on: any earlier transaction fails
 *
 * Each firehosed that takes over begins a new epoch (the upper half of its tokens' generation), one above the last that
 * it finds. It begins one more in the transaction of each plan (begin.h) that drops or changes marks. So the epoch of a
 * token tells whether it is later or earlier. A later one of another instance has taken over. An earlier one, of
 * whatever instance, is back because Redis has lost data, and the last plan with it. */
#ifndef FIREHOSED_STORE_SLOTS_H
#define FIREHOSED_STORE_SLOTS_H

#include "session.h"
#include "redis/progress.h"

enum standing {
    STANDING_OURS,
    STANDING_NOBODYS,   /* the key is gone, or was never there */
    STANDING_SUCCESSOR, /* another firehosed that came later */
    STANDING_OUTDATED,  /* of an earlier firehosed, or ours from before the last plan: Redis has lost data */
};

/* Tells whose the token is that the owner key holds; NULL: it holds none. *found: the token, zeroed if it is nobody's.
 * */
enum standing slots_standing(const struct owner_token *ours, const char *text, struct owner_token *found);

/* Returns the token to take the slots with. In a new epoch, it is above both `ours` and `found`. */
struct owner_token slots_next_token(const struct owner_token *ours, const struct owner_token *found, bool new_epoch);

/* The next transaction fails if owner:master changes meanwhile. */
void slots_watch(struct session *c);

/* GET of owner:master: slots_standing() tells what the answer means. */
void slots_ask(struct session *c, store_reply *on_reply, void *arg);

/* SET of owner:master, within a transaction. */
void slots_append_owner(struct session *c, const struct owner_token *token);

/* SET of owner:master and of all slots, within a transaction. */
void slots_append_all(struct session *c, const struct owner_token *token);

/* The transaction that takes owner:master and all slots. on_reply takes EXEC's answer. */
void slots_take(struct session *c, const struct owner_token *token, store_reply *on_reply, void *arg);

void slots_master_key(const struct config *config, char out[OWNER_KEY_BYTES]);

#endif
