#include "config.h"

#include "redis/address.h"

bool redis_address_check(const struct config *config, struct error *why)
{
    struct url url;
    if (!url_parse(config->redis, &url, why))
        return false;
    if (url.scheme != URL_WS && url.scheme != URL_WSS)
        return true;
    error_set(why, "not the URL of a Redis, expected redis://, rediss:// or unix://");
    return false;
}

bool redis_address_set(struct redis_address *a, const struct config *config, struct error *why)
{
    redis_address_fini(a);
    if (!url_parse(config->redis, &a->url, why))
        return false;
    if (url_is_tls(&a->url))
        a->tls = tls_client_new(config->redis_ca_file, why);
    return !url_is_tls(&a->url) || a->tls != NULL;
}

void redis_address_fini(struct redis_address *a)
{
    tls_free(a->tls);
    a->tls = NULL;
}

const char *redis_address_text(const struct redis_address *a, char *out, size_t out_bytes)
{
    return url_authority(&a->url, out, out_bytes);
}

bool redis_dial_start(struct redis_dial *d, struct event_base *base, struct evdns_base *dns,
                      const struct config *config, connect_done *done, void *arg, struct error *why)
{
    redis_dial_cancel(d);
    if (!url_parse(config->redis, &d->url, why))
        return false;
    d->attempt = connect_start(base, dns, &d->url, (int)config->redis_connect_timeout, done, arg);
    if (d->attempt == NULL)
        error_set(why, "out of memory");
    return d->attempt != NULL;
}

void redis_dial_cancel(struct redis_dial *d)
{
    connect_cancel(d->attempt);
    d->attempt = NULL;
}
