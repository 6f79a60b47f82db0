/* slots.h: fencing, the master's half: who owns the slots, and taking them.
 *
 *   WATCH owner:master · GET owner:master               who owns the slots
 *   MULTI · SET owner:master · SET owner:0 … 63 · EXEC  ours from now on: any earlier transaction fails
 *
 * Each firehosed that takes over begins a new epoch (the upper half of its tokens' generation), one above the last that
 * it finds. So the token of another instance tells which of the two came later. A later one has taken over. An earlier
 * one is back because Redis has lost data: it is no successor, or nobody would be left. */
#ifndef FIREHOSED_STORE_SLOTS_H
#define FIREHOSED_STORE_SLOTS_H

#include "session.h"
#include "redis/progress.h"

enum standing {
    STANDING_OURS,
    STANDING_NOBODYS,     /* the key is gone, or was never there */
    STANDING_SUCCESSOR,   /* another firehosed that came later */
    STANDING_PREDECESSOR, /* another firehosed that came earlier */
};

/* Tells whose the token is that the owner key holds; NULL: it holds none. *found: the token, zeroed if it is nobody's.
 * */
enum standing slots_standing(const struct owner_token *ours, const char *text, struct owner_token *found);

/* Returns the token to take the slots with. A new epoch begins if this process takes over, or takes the slots back from
 * a predecessor. */
struct owner_token slots_next_token(const struct owner_token *ours, enum standing standing,
                                    const struct owner_token *found, bool takes_over);

/* The next transaction fails if owner:master changes meanwhile. */
void slots_watch(struct session *c);

/* GET of owner:master: slots_standing() tells what the answer means. */
void slots_ask(struct session *c, store_reply *on_reply, void *arg);

/* SET of owner:master, within a transaction. */
void slots_append_owner(struct session *c, const struct owner_token *token);

/* The transaction that takes owner:master and all slots. on_reply takes EXEC's answer. */
void slots_take(struct session *c, const struct owner_token *token, store_reply *on_reply, void *arg);

void slots_master_key(const struct config *config, char out[OWNER_KEY_BYTES]);

#endif
