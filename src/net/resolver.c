#include "config.h"

#include "net/resolver.h"

#include <sys/stat.h>

#include "base/log.h"

bool resolver_init(struct resolver *r, struct event_base *base, const char *path)
{
    *r = (struct resolver){.path = path, .dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE)};
    if (r->dns == NULL)
        return false;
    evdns_base_load_hosts(r->dns, NULL);
    resolver_refresh(r);
    return true;
}

void resolver_fini(struct resolver *r)
{
    if (r->dns != NULL)
        evdns_base_free(r->dns, 1);
    r->dns = NULL;
}

void resolver_refresh(struct resolver *r)
{
    struct stat now;
    if (stat(r->path, &now) < 0 ||
        (now.st_ino == r->inode && now.st_size == r->size && now.st_mtim.tv_sec == r->modified.tv_sec &&
         now.st_mtim.tv_nsec == r->modified.tv_nsec))
        return;
    bool is_first = r->inode == 0;
    r->inode = now.st_ino;
    r->size = now.st_size;
    r->modified = now.st_mtim;
    evdns_base_clear_nameservers_and_suspend(r->dns);
    if (evdns_base_resolv_conf_parse(r->dns, DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC, r->path) !=
        0)
        log_warn("dns: %s cannot be read as a resolver's configuration", r->path);
    evdns_base_resume(r->dns);
    if (!is_first)
        log_info("dns: %s has changed, %d name servers", r->path, evdns_base_count_nameservers(r->dns));
}
