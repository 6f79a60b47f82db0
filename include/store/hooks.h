/* hooks.h: what the store room is told by its user, and what it calls. Other rooms include store/store.h. */
#ifndef FIREHOSED_STORE_HOOKS_H
#define FIREHOSED_STORE_HOOKS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/optional.h"

/* Whose cursor and marks are meant: the keys that hold them, and the relay's host name, which is saved with them. The
 * texts stay the caller's until the next store_begin…() with others; their content may change. */
struct store_keys {
    const char *cursor, *progress, *relay;
};

struct store_hooks {
    void *arg;
    /* store_begin…() has finished: every slot is ours, and reading continues behind this cursor. It is unknown if no
     * cursor is saved that this relay understands. */
    void (*begun)(void *arg, struct optional cursor);
    /* The saved cursor and marks belong to another relay. Returns whether the store may drop them; if not, it changes
     * nothing, and begun() never comes. */
    bool (*may_drop)(void *arg);
    /* store_take_slots() has finished. */
    void (*slots_taken)(void *arg);
    /* Another firehosed owns the slots. */
    void (*taken_over)(void *arg);
    /* Redis is older than what this process saved in it. */
    void (*data_lost)(void *arg);
    /* Redis holds the cursor that store_save_cursor() was given. */
    void (*cursor_saved)(void *arg, int64_t cursor);
};

/* The last byte of the status key as firehosed writes it. JSON does not mind it, and no other service writes it: so a
 * first start knows whether another service keeps the key. */
enum { STORE_STATUS_END = '\n' };

/* Takes the answer to a command. The answer is freed after the call. */
typedef void store_reply(void *arg, const redisReply *reply);

#endif
