/* privileges.h: whom the daemon becomes (the keys user and group) once files and sockets are open. */
#ifndef FIREHOSED_BASE_PRIVILEGES_H
#define FIREHOSED_BASE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/config.h"
#include "base/error.h"

struct privileges {
    bool changes;     /* another user or group than now is to become */
    char user[256];   /* "": stay who we are */
    uid_t uid;        /* to become, or as it is */
    gid_t gid;
    gid_t socket_gid; /* whose members may use the control socket */
};

/* Looks the names up. False: one is not known, *why begins with the place of the key. */
bool privileges_find(const struct config *config, struct privileges *p, struct error *why);

/* Whether this process may become them. False: *why. */
bool privileges_check(const struct privileges *p, struct error *why);

/* Gives a folder that was just made to whom we are to become. False: *why. */
bool privileges_give_folder(const struct privileges *p, const char *path, struct error *why);

/* Gives a socket to them and to the group of the control socket. False: *why. */
bool privileges_give_socket(const struct privileges *p, const char *path, struct error *why);

/* Between the two, files are opened as them: a link that they laid leads only to what is theirs. begin() makes an
 * empty file at `path` before, if there is none (NULL or "": no file), as they may not be allowed to. */
void privileges_lend_begin(const struct privileges *p, const char *path);
void privileges_lend_end(const struct privileges *p);

/* Becomes them for good: groups, group, user, no capabilities, no new privileges by exec either. Makes sure that there
 * is no way back. False: *why; the process must end. */
bool privileges_drop(const struct privileges *p, struct error *why);

#endif
