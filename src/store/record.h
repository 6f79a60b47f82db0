/* record.h: what the progress key holds: the marks, and beside them a copy of the cursor and the relay's name. */
#ifndef FIREHOSED_STORE_RECORD_H
#define FIREHOSED_STORE_RECORD_H

#include "session.h"
#include "redis/progress.h"

struct record {
    struct optional copy; /* of the cursor, as it was saved last with the marks */
    bool knows_relay;     /* it names a relay; if not, the key is new or was deleted */
    bool is_same_relay;   /* it names ours */
    struct optional inherited; /* inherited.h */
};

/* Reads a cursor: unknown if the text (NULL: there is none) is no decimal number of 0 or more. */
struct optional record_parse_cursor(const char *text);

/* HMGET of copy, relay and inherited, and HMGET of all marks. */
void record_ask(struct session *c, const struct store_keys *keys, store_reply *on_reply, void *arg);
void record_ask_marks(struct session *c, const struct store_keys *keys, store_reply *on_reply, void *arg);

/* Read the answers. If one cannot be read, these give the connection up and return false. */
bool record_take(struct session *c, const struct store_keys *keys, const redisReply *reply, struct record *record);
bool record_take_marks(struct session *c, const struct store_keys *keys, const redisReply *reply,
                       struct marks *marks);

/* HSET of the marks whose bit is set in `which`; nothing if it is 0. */
void record_write_marks(struct session *c, const struct store_keys *keys, const struct marks *marks, uint64_t which);

#endif
