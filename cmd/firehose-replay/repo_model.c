#include "config.h"

#include "repo_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t START_US = 1767225600000000u; /* 2026-01-01T00:00:00Z: fixed, so that bytes repeat */
static const uint64_t PAST_US = 3ull * 365 * 24 * 3600 * 1000000;

/* ---- names ---- */

static void digits(struct dice *d, const char *alphabet, char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = alphabet[dice_below(d, 32)];
    out[n] = '\0';
}

/* Makes a did:web in one of 200 cases, otherwise a did:plc (base32, 24 digits). */
static void make_did(struct dice *d, char did[DID_TEXT_BYTES])
{
    char name[25];
    digits(d, "abcdefghijklmnopqrstuvwxyz234567", name, 24);
    if (dice_permille(d, 5))
        snprintf(did, DID_TEXT_BYTES, "did:web:%.8s.example.com", name);
    else
        snprintf(did, DID_TEXT_BYTES, "did:plc:%s", name);
}

/* atproto.com/specs/tid: 53 bits of microseconds, ten of clock, base32 that sorts. */
static void tid_text(uint64_t us, unsigned clock_id, char tid[TID_TEXT_BYTES])
{
    static const char alphabet[] = "234567abcdefghijklmnopqrstuvwxyz";
    uint64_t value = us << 10 | clock_id;
    for (int i = 0; i < TID_TEXT_BYTES - 1; i++)
        tid[i] = alphabet[value >> (60 - 5 * i) & 31];
    tid[TID_TEXT_BYTES - 1] = '\0';
}

void random_cid(struct dice *d, uint8_t codec, uint8_t cid[CID_BYTES])
{
    const uint8_t head[CID_DIGEST_OFFSET] = {0x01, codec, 0x12, CID_DIGEST_BYTES};
    memcpy(cid, head, sizeof head);
    dice_bytes(d, cid + CID_DIGEST_OFFSET, CID_DIGEST_BYTES);
}

/* ---- the model ---- */

bool repo_model_init(struct repo_model *m, uint64_t seed, size_t repos)
{
    *m = (struct repo_model){.dice = {seed}, .now_us = START_US};
    m->repos = calloc(repos, sizeof *m->repos);
    if (m->repos == NULL)
        return false;
    m->count = repos;
    for (size_t i = 0; i < repos; i++) {
        struct repo *repo = &m->repos[i];
        make_did(&m->dice, repo->did);
        repo->clock_id = (uint16_t)dice_below(&m->dice, 1024);
        random_cid(&m->dice, CID_CODEC_DAG_CBOR, repo->data);
    }
    return true;
}

void repo_model_fini(struct repo_model *m)
{
    free(m->repos);
    *m = (struct repo_model){0};
}

void repo_model_tick(struct repo_model *m) { m->now_us += dice_between(&m->dice, 500, 2500); }

struct repo *repo_model_pick(struct repo_model *m)
{
    /* Takes the smaller of two: so the first half of the repositories writes three quarters of the events. */
    uint32_t a = dice_below(&m->dice, (uint32_t)m->count), b = dice_below(&m->dice, (uint32_t)m->count);
    return &m->repos[a < b ? a : b];
}

void repo_next_tid(struct repo_model *m, struct repo *repo, char tid[TID_TEXT_BYTES])
{
    repo->last_tid_us = m->now_us > repo->last_tid_us ? m->now_us : repo->last_tid_us + 1;
    tid_text(repo->last_tid_us, repo->clock_id, tid);
}

void repo_remember(struct repo_model *m, struct repo *repo, const char *path, const uint8_t cid[CID_BYTES])
{
    size_t at = repo->known_count < REPO_REMEMBERS ? repo->known_count++ : dice_below(&m->dice, REPO_REMEMBERS);
    snprintf(repo->known[at].path, PATH_TEXT_BYTES, "%s", path);
    memcpy(repo->known[at].cid, cid, CID_BYTES);
}

bool repo_forget(struct repo_model *m, struct repo *repo, struct known_record *record)
{
    if (repo->known_count == 0)
        return false;
    size_t at = dice_below(&m->dice, (uint32_t)repo->known_count);
    *record = repo->known[at];
    repo->known[at] = repo->known[--repo->known_count];
    return true;
}

void past_tid(struct repo_model *m, char tid[TID_TEXT_BYTES])
{
    tid_text(m->now_us - dice_next(&m->dice) % PAST_US, dice_below(&m->dice, 1024), tid);
}

void random_at_uri(struct repo_model *m, const char *collection, char uri[AT_URI_BYTES])
{
    char tid[TID_TEXT_BYTES];
    past_tid(m, tid);
    snprintf(uri, AT_URI_BYTES, "at://%s/%s/%s", repo_model_pick(m)->did, collection, tid);
}
