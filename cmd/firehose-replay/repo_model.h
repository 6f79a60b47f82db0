/* repo_model.h: the accounts of a generator, and the state that connects the events of a repository: its revs, the root
 * of its tree, the records that it could delete.
 *
 * The model has its own time, which moves with each event, so a capture does not depend on when or where it is made. */
#ifndef FIREHOSE_REPLAY_REPO_MODEL_H
#define FIREHOSE_REPLAY_REPO_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "dice.h"

enum {
    TID_TEXT_BYTES = 14, /* 13 digits and a terminator */
    DID_TEXT_BYTES = 48,
    PATH_TEXT_BYTES = 96,
    AT_URI_BYTES = DID_TEXT_BYTES + PATH_TEXT_BYTES + 8,
    REPO_REMEMBERS = 4,
};

/* A record that its repository may later update or delete. */
struct known_record {
    char path[PATH_TEXT_BYTES];
    uint8_t cid[CID_BYTES];
};

struct repo {
    char did[DID_TEXT_BYTES];
    uint16_t clock_id;           /* the ten low bits of its TIDs */
    uint64_t last_tid_us;
    char rev[TID_TEXT_BYTES];    /* of its last commit; "" before the first */
    uint8_t data[CID_BYTES];     /* root of its tree after the last commit */
    struct known_record known[REPO_REMEMBERS];
    size_t known_count;
};

struct repo_model {
    struct dice dice;
    uint64_t now_us; /* since 1970 */
    struct repo *repos;
    size_t count;
};

/* Returns false if memory is short. */
bool repo_model_init(struct repo_model *m, uint64_t seed, size_t repos);
void repo_model_fini(struct repo_model *m);

/* Advances the time, about as much as between two events of the real network. */
void repo_model_tick(struct repo_model *m);

/* Picks a repository; few repositories write most of the events. */
struct repo *repo_model_pick(struct repo_model *m);

/* Makes a new TID of this repository, above all its earlier ones. */
void repo_next_tid(struct repo_model *m, struct repo *repo, char tid[TID_TEXT_BYTES]);

/* Keeps a record for repo_forget(), which forgets and returns one of them. repo_forget() returns false if there is
 * none. */
void repo_remember(struct repo_model *m, struct repo *repo, const char *path, const uint8_t cid[CID_BYTES]);
bool repo_forget(struct repo_model *m, struct repo *repo, struct known_record *record);

/* Makes a TID from the last years, for references. */
void past_tid(struct repo_model *m, char tid[TID_TEXT_BYTES]);

/* Makes a CID with a random digest. */
void random_cid(struct dice *d, uint8_t codec, uint8_t cid[CID_BYTES]);

/* Makes "at://did/collection/rkey", for a record of a random repository. */
void random_at_uri(struct repo_model *m, const char *collection, char uri[AT_URI_BYTES]);

#endif
