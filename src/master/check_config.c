/* check_config.c: what the configuration table cannot check by itself: URLs, addresses, lists. */
#include "config.h"

#include "master/master.h"
#include "master/context.h"
#include "net/url.h"

static bool check_http_listen(const struct config *config, struct error *why)
{
    struct sockaddr_storage address;
    socklen_t len;
    char origin[1200];
    if (config->http_listen[0] == '\0' || http_parse_address(config->http_listen, &address, &len, why))
        return true;
    error_context(why, "%s: http_listen", config_origin(config, "http_listen", origin, sizeof origin));
    return false;
}

bool master_check_config(const struct config *config, struct error *why)
{
    char origin[1200];
    struct relay_list relays;
    struct url url;
    if (!relay_list_init(&relays, config, why)) {
        error_context(why, "%s: relay", config_origin(config, "relay", origin, sizeof origin));
        return false;
    }
    bool ok = url_parse(config->redis, &url, why);
    if (ok && (url.scheme == URL_WS || url.scheme == URL_WSS)) {
        error_set(why, "not the URL of a Redis, expected redis://, rediss:// or unix://");
        ok = false;
    }
    if (!ok) {
        error_context(why, "%s: redis", config_origin(config, "redis", origin, sizeof origin));
        return false;
    }
    return check_http_listen(config, why) && filter_check_config(config, why);
}
