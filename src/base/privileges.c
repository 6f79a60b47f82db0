#include "config.h"

#include "base/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool unknown(const struct config *c, const char *key, const char *name, struct error *why)
{
    char origin[1200];
    error_set(why, "%s: %s: there is no %s '%s' on this system", config_origin(c, key, origin, sizeof origin), key,
              strcmp(key, "user") == 0 ? "user" : "group", name);
    return false;
}

/* Looks a group up. Leaves *gid alone if the name is empty. */
static bool find_group(const struct config *c, const char *key, const char *name, gid_t *gid, struct error *why)
{
    if (name[0] == '\0')
        return true;
    const struct group *group = getgrnam(name);
    if (group == NULL)
        return unknown(c, key, name, why);
    *gid = group->gr_gid;
    return true;
}

bool privileges_find(const struct config *c, struct privileges *p, struct error *why)
{
    *p = (struct privileges){.uid = geteuid(), .gid = getegid()};
    if (c->user[0] != '\0') {
        const struct passwd *user = getpwnam(c->user);
        if (user == NULL)
            return unknown(c, "user", c->user, why);
        snprintf(p->user, sizeof p->user, "%s", c->user);
        p->uid = user->pw_uid;
        p->gid = user->pw_gid;
    }
    if (!find_group(c, "group", c->group, &p->gid, why))
        return false;
    p->socket_gid = p->gid;
    p->changes = p->uid != geteuid() || p->gid != getegid();
    return find_group(c, "control_socket_group", c->control_socket_group, &p->socket_gid, why);
}

bool privileges_check(const struct privileges *p, struct error *why)
{
    if (!p->changes || geteuid() == 0)
        return true;
    error_set(why, "user, group: only root can become another (user %d, group %d; started as user %d, group %d)",
              (int)p->uid, (int)p->gid, (int)geteuid(), (int)getegid());
    return false;
}

/* Gives a file away through a descriptor, and only if the file is of the expected kind: a user may have put anything
 * into a folder of their own. */
static bool give(const struct privileges *p, const char *path, mode_t kind, gid_t gid, struct error *why)
{
    struct stat now;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &now) == 0 && (now.st_mode & S_IFMT) == kind;
    if (ok && (now.st_uid != p->uid || now.st_gid != gid))
        ok = fchownat(fd, "", p->uid, gid, AT_EMPTY_PATH) == 0;
    if (!ok)
        error_set(why, "cannot give %s to user %d, group %d: %s", path, (int)p->uid, (int)gid, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

bool privileges_give_folder(const struct privileges *p, const char *path, struct error *why)
{
    return give(p, path, S_IFDIR, p->gid, why);
}

bool privileges_give_socket(const struct privileges *p, const char *path, struct error *why)
{
    return give(p, path, S_IFSOCK, p->socket_gid, why);
}

static bool lends(const struct privileges *p) { return p->changes && getuid() == 0; }

void privileges_lend_begin(const struct privileges *p, const char *path)
{
    if (!lends(p))
        return;
    int fd = path == NULL || path[0] == '\0'
                 ? -1
                 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd >= 0 && fchown(fd, p->uid, p->gid) != 0)
        unlink(path); /* the next open() fails and gives the reason */
    if (fd >= 0)
        close(fd);
    if (setegid(p->gid) != 0 || seteuid(p->uid) != 0)
        abort(); /* root can always do this; without it, files would be opened as root */
}

void privileges_lend_end(const struct privileges *p)
{
    if (lends(p) && (seteuid(0) != 0 || setegid(getgid()) != 0))
        abort(); /* the daemon would be half root, half the new user */
}

/* Returns true if the old privileges could come back. It checks the results of the calls, because a kernel or a
 * container may have changed what they do. */
static bool is_way_back(const struct privileges *p)
{
    uid_t u[3];
    gid_t g[3];
    if (getresuid(&u[0], &u[1], &u[2]) != 0 || getresgid(&g[0], &g[1], &g[2]) != 0)
        return true;
    for (int i = 0; i < 3; i++)
        if (u[i] != p->uid || g[i] != p->gid)
            return true;
    return p->uid != 0 && (setuid(0) == 0 || seteuid(0) == 0);
}

bool privileges_drop(const struct privileges *p, struct error *why)
{
    const char *step = NULL;
    if (!privileges_check(p, why))
        return false;
    if (p->changes) {
        /* Drop the capabilities that an exec by root could bring back. */
        for (unsigned long c = 0; p->uid != 0 && prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
            prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
        if ((p->user[0] != '\0' ? initgroups(p->user, p->gid) : setgroups(1, &p->gid)) != 0)
            step = "supplementary groups";
        else if (setresgid(p->gid, p->gid, p->gid) != 0)
            step = "group";
        else if (setresuid(p->uid, p->uid, p->uid) != 0)
            step = "user";
        if (step == NULL && is_way_back(p)) {
            error_set(why, "user %d: the process could still get its old privileges back", (int)p->uid);
            return false;
        }
    }
    /* The daemon starts no programs; if an attacker makes it start one, that program must gain nothing. */
    if (step == NULL && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        step = "no new privileges";
    if (step != NULL)
        error_set(why, "cannot set %s (user %d, group %d): %s", step, (int)p->uid, (int)p->gid, strerror(errno));
    return step == NULL;
}
