/* privileges.h: the user and group that the daemon becomes (keys user and group) after it has opened files and sockets.
 *
 * Functions that return bool return false on failure and fill *why. */
#ifndef FIREHOSED_BASE_PRIVILEGES_H
#define FIREHOSED_BASE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/config.h"
#include "base/error.h"

struct privileges {
    bool changes;     /* the user or the group differs from the present one */
    char user[256];   /* "": the user does not change */
    uid_t uid;        /* the new user, or the present one */
    gid_t gid;
    gid_t socket_gid; /* members of this group may use the control socket */
};

/* Looks the names up. If a name is unknown, *why begins with the place of the key. */
bool privileges_find(const struct config *config, struct privileges *p, struct error *why);

/* Checks whether this process may become that user and group. */
bool privileges_check(const struct privileges *p, struct error *why);

/* Gives a folder, which firehosed has just made, to the new user and group. */
bool privileges_give_folder(const struct privileges *p, const char *path, struct error *why);

/* Gives a socket to the new user and to the group of the control socket. */
bool privileges_give_socket(const struct privileges *p, const char *path, struct error *why);

/* Between begin and end, the process opens files as the new user, so that a link made by that user leads only to that
 * user's files. begin() first makes an empty file at `path` if there is none, because the user may not be allowed to
 * (NULL or "": no file). */
void privileges_lend_begin(const struct privileges *p, const char *path);
void privileges_lend_end(const struct privileges *p);

/* Becomes the new user for good: groups, group, user, no capabilities, and no new privileges by exec. Checks that the
 * old privileges cannot come back. If it returns false, the process must end. */
bool privileges_drop(const struct privileges *p, struct error *why);

#endif
