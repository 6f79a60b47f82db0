#include "config.h"

#include "master/config_check.h"

#include "http/http.h"
#include "master/filter.h"
#include "redis/address.h"
#include "relay/relay_list.h"

static bool check_relay(const struct config *config, struct error *why)
{
    struct relay_list relays;
    return relay_list_init(&relays, config, why);
}

static bool check_http_listen(const struct config *config, struct error *why)
{
    struct sockaddr_storage address;
    socklen_t len;
    return config->http_listen[0] == '\0' || http_parse_address(config->http_listen, &address, &len, why);
}

bool master_check_config(const struct config *config, struct error *why)
{
    static const struct {
        const char *key;
        bool (*check)(const struct config *config, struct error *why);
    } checks[] = {{"relay", check_relay}, {"redis", redis_address_check}, {"http_listen", check_http_listen}};
    char origin[1200];
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (!checks[i].check(config, why)) {
            error_context(why, "%s: %s", config_origin(config, checks[i].key, origin, sizeof origin), checks[i].key);
            return false;
        }
    return filter_check_config(config, why);
}
