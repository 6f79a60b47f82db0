#include "config.h"

#include "master/filter.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "atproto/collections.h"
#include "base/log.h"
#include "base/text_set.h"

static const char did_prefix[] = "did:";

struct filter {
    unsigned kinds; /* bit k: frames of kind k pass */
    struct text_set *dids;
    struct text_set *next; /* loaded, but not in force yet */
    pid_t loader;          /* 0: none */
    int file;              /* what the loader writes to; -1: none */
    struct filter_hooks hooks;
};

/* ---- the configuration ---- */

/* The operator cannot choose these kinds: workers count and skip unknown frames. */
static const unsigned always = 1u << FRAME_UNKNOWN | 1u << FRAME_INFO | 1u << FRAME_ERROR;

static bool add_kind(const char *word, size_t len, unsigned *kinds)
{
    static const enum frame_kind known[] = {FRAME_COMMIT, FRAME_SYNC, FRAME_IDENTITY, FRAME_ACCOUNT};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *name = frame_kind_name(known[i]);
        if (strlen(name) == len && memcmp(name, word, len) == 0) {
            *kinds |= 1u << known[i];
            return true;
        }
    }
    return false;
}

/* Turns "commit, identity" into bits; an empty list stands for all kinds. */
static bool parse_kinds(const char *list, unsigned *kinds, struct error *why)
{
    static const char separators[] = ", \t";
    const char *at = list + strspn(list, separators);
    *kinds = *at == '\0' ? ~0u : always;
    while (*at != '\0') {
        size_t len = strcspn(at, separators);
        if (!add_kind(at, len, kinds)) {
            error_set(why, "'%.*s' is not a kind of event, expected commit, sync, identity, account",
                      len > 60 ? 60 : (int)len, at);
            return false;
        }
        at += len;
        at += strspn(at, separators);
    }
    return true;
}

static bool check_collections(const char *list, struct error *why)
{
    struct collections *c = collections_new(list, why);
    collections_free(c);
    return c != NULL;
}

bool filter_check_kinds(const struct config *config, struct error *why)
{
    unsigned kinds;
    return parse_kinds(config->kinds, &kinds, why);
}

bool filter_check_collections(const struct config *config, struct error *why)
{
    return check_collections(config->collections, why);
}

bool filter_check_excluded(const struct config *config, struct error *why)
{
    return check_collections(config->exclude_collections, why);
}

bool filter_check_dids(const struct config *config, struct error *why)
{
    int file = config->dids_file[0] != '\0' ? text_set_file(why) : -1;
    if (file < 0)
        return config->dids_file[0] == '\0';
    bool ok = text_set_build(file, config->dids_file, did_prefix, why);
    close(file);
    return ok;
}

/* ---- reading the list ---- */

static void close_file(struct filter *f)
{
    if (f->file >= 0)
        close(f->file);
    f->file = -1;
}

static void give_up_loading(struct filter *f)
{
    if (f->loader > 0)
        kill(f->loader, SIGKILL); /* the master reaps it as an unknown child */
    f->loader = 0;
    close_file(f);
}

/* A newer list supersedes one that was loaded for a configuration which never came into force. */
static void set_next(struct filter *f, struct text_set *next)
{
    text_set_free(f->next);
    f->next = next;
}

/* The child has the master's descriptors while it reads, and touches only that of the set. */
static void run_loader(int file, const char *path, pid_t master)
{
    struct error ignored;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "dids-loader");
    if (getppid() != master)
        _exit(1);
    _exit(text_set_build(file, path, did_prefix, &ignored) ? 0 : 1); /* the file holds the reason of a failure */
}

bool filter_load(struct filter *f, const struct config *config, struct error *why)
{
    give_up_loading(f);
    if (config->dids_file[0] == '\0') {
        set_next(f, NULL);
        f->hooks.loaded(f->hooks.arg, NULL);
        return true;
    }
    f->file = text_set_file(why);
    if (f->file < 0)
        return false;
    pid_t master = getpid();
    f->loader = fork();
    if (f->loader == 0)
        run_loader(f->file, config->dids_file, master);
    if (f->loader > 0)
        return true;
    error_set(why, "reading %s: fork: %s", config->dids_file, strerror(errno));
    f->loader = 0;
    close_file(f);
    return false;
}

bool filter_reap(struct filter *f, pid_t pid)
{
    struct error why;
    if (f->loader == 0 || pid != f->loader)
        return false;
    f->loader = 0;
    struct text_set *loaded = text_set_map(f->file, &why);
    close_file(f);
    if (loaded != NULL)
        set_next(f, loaded);
    f->hooks.loaded(f->hooks.arg, loaded != NULL ? NULL : &why);
    return true;
}

/* ---- the verbs ---- */

struct filter *filter_new(const struct config *config, const struct filter_hooks *hooks, struct error *why)
{
    struct filter *f = calloc(1, sizeof *f);
    if (f == NULL) {
        error_set(why, "out of memory");
        return NULL;
    }
    f->file = -1;
    f->hooks = *hooks;
    if (config->dids_file[0] != '\0') {
        f->file = text_set_file(why);
        if (f->file < 0 || !text_set_build(f->file, config->dids_file, did_prefix, why) ||
            (f->next = text_set_map(f->file, why)) == NULL) {
            filter_free(f);
            return NULL;
        }
        close_file(f);
    }
    filter_apply(f, config);
    return f;
}

void filter_free(struct filter *f)
{
    if (f == NULL)
        return;
    give_up_loading(f);
    set_next(f, NULL);
    text_set_free(f->dids);
    free(f);
}

void filter_apply(struct filter *f, const struct config *config)
{
    struct error ignored; /* the configuration was checked */
    parse_kinds(config->kinds, &f->kinds, &ignored);
    text_set_free(f->dids);
    f->dids = f->next;
    f->next = NULL;
    if (f->dids != NULL)
        log_info("filter: events of %zu repos listed in %s", text_set_count(f->dids), config->dids_file);
}

bool filter_passes(const struct filter *f, const struct frame_peek *peek)
{
    if (peek->kind == FRAME_COMMIT && peek->did.len == 0)
        return true; /* an unreadable frame goes to the dead letters, whatever the filter wants */
    if (!(f->kinds >> peek->kind & 1))
        return false;
    return f->dids == NULL || text_set_has(f->dids, peek->did.ptr, peek->did.len);
}

size_t filter_did_count(const struct filter *f) { return f->dids != NULL ? text_set_count(f->dids) : 0; }
