/* repo_model.h: the accounts that a generator plays, and what must rise or fit from one event of a repository to
 * the next: its revs, the root of its tree, the records that it could delete.
 *
 * Time is the model's own and moves with each event: nothing depends on when or where a capture is made. */
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
    TIME_TEXT_BYTES = 32,
    PATH_TEXT_BYTES = 96,
    AT_URI_BYTES = DID_TEXT_BYTES + PATH_TEXT_BYTES + 8,
    REPO_REMEMBERS = 4,
};

/* A record that its repository can later update or delete. */
struct known_record {
    char path[PATH_TEXT_BYTES];
    uint8_t cid[CID_BYTES];
};

struct repo {
    char did[DID_TEXT_BYTES];
    uint16_t clock_id;           /* the ten low bits of its TIDs */
    uint64_t last_tid_us;
    char rev[TID_TEXT_BYTES];    /* of its last commit; "" before the first */
    uint8_t data[CID_BYTES];     /* root of its tree after that */
    struct known_record known[REPO_REMEMBERS];
    size_t known_count;
};

struct repo_model {
    struct dice dice;
    uint64_t now_us; /* since 1970 */
    struct repo *repos;
    size_t count;
};

bool repo_model_init(struct repo_model *m, uint64_t seed, size_t repos);
void repo_model_fini(struct repo_model *m);

/* Lets some time pass, about as much as between two events of the real network. */
void repo_model_tick(struct repo_model *m);

/* Somebody; few repositories write most of the events. */
struct repo *repo_model_pick(struct repo_model *m);

/* A new TID of this repository, above all that it had. */
void repo_next_tid(struct repo_model *m, struct repo *repo, char tid[TID_TEXT_BYTES]);

void repo_remember(struct repo_model *m, struct repo *repo, const char *path, const uint8_t cid[CID_BYTES]);

/* Takes one of the remembered records out; false: there is none. */
bool repo_forget(struct repo_model *m, struct repo *repo, struct known_record *record);

/* A TID of some moment of the last years, for what is linked to. */
void past_tid(struct repo_model *m, char tid[TID_TEXT_BYTES]);

/* A CID that looks like any other. */
void random_cid(struct dice *d, uint8_t codec, uint8_t cid[CID_BYTES]);

/* "at://did/collection/rkey" of somebody's record. */
void random_at_uri(struct repo_model *m, const char *collection, char uri[AT_URI_BYTES]);

/* "2026-01-02T03:04:05.678Z" */
void time_text(uint64_t unix_us, char text[TIME_TEXT_BYTES]);

#endif
