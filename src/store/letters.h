/* letters.h: what is made sure of at a beginning before workers add dead letters, as they also trim that key
 * (dead_letters_max_len): its entries are firehosed's own.
 *
 *   XRANGE new · XREVRANGE new    its oldest and newest entries; one of another program: it waits until that is mended
 *   once, if dead_letters_key is the default: firehosed's own entries leave the key that was the default before, and
 *   that applications use, too. Its other entries are only read.
 *     XRANGE old                                 the next own entry
 *     XADD new id …                              with its id, which is its time; Redis refuses a second copy
 *     WATCH old · XRANGE new id · XRANGE old id · MULTI · [XADD new *] · [XDEL old id] · EXEC
 *
 * If firehosed dies in between, both keys hold the entry, and the next beginning finds the copy and deletes the
 * original. Redis refuses an id below that of the newest entry, too: then the transaction adds the copy.
 *
 * EXEC ends every guard of the connection. So this comes before a beginning guards anything; checkpoint.c begins no
 * guard during a beginning. */
#ifndef FIREHOSED_STORE_LETTERS_H
#define FIREHOSED_STORE_LETTERS_H

#include "session.h"

enum { STREAM_ID_BYTES = 48, OUR_FIELDS = 3 /* of an entry */, DIGEST_BYTES = 32 };

struct letters {
    struct session *session;
    void (*ready)(void *arg);
    void *arg;
    enum { LETTERS_UNKNOWN, LETTERS_ASKED, LETTERS_READY } state;
    char key[256];            /* the dead_letters_key that was examined */
    bool is_moved;            /* nothing is left to move: this process has searched the old key to its end */
    uint64_t moved;           /* entries */
    char at[STREAM_ID_BYTES]; /* the search in the old key continues here */
    int page;                 /* entries to ask for */
    bool has_copy;            /* the new key holds an entry with the id of the one that is being moved */
    uint8_t copy[OUR_FIELDS][DIGEST_BYTES]; /* of its values */
};

/* Returns whether dead_letters_key may be used. If not, finds out, and calls l->ready() once it may. */
bool letters_are_ready(struct letters *l);

void letters_on_lost(struct letters *l);

#endif
