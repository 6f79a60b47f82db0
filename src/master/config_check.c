#include "config.h"

#include "master/config_check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "http/http.h"
#include "master/filter.h"
#include "net/tls.h"
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

static bool check_authorities(const char *file, struct error *why)
{
    if (file[0] == '\0')
        return true;
    if (faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) != 0) {
        error_set(why, "'%s' cannot be read: %s, expected a PEM file with authorities", file, strerror(errno));
        return false;
    }
    struct tls_context *tls = tls_client_new(file, why);
    tls_free(tls);
    return tls != NULL;
}

static bool check_relay_ca_file(const struct config *config, struct error *why)
{
    return check_authorities(config->relay_ca_file, why);
}

static bool check_redis_ca_file(const struct config *config, struct error *why)
{
    return check_authorities(config->redis_ca_file, why);
}

void master_check_config(const struct config *config, struct error_list *wrong)
{
    static const struct {
        const char *key;
        bool (*check)(const struct config *config, struct error *why);
    } checks[] = {
        {"relay", check_relay},
        {"relay_ca_file", check_relay_ca_file},
        {"redis", redis_address_check},
        {"redis_ca_file", check_redis_ca_file},
        {"http_listen", check_http_listen},
        {"kinds", filter_check_kinds},
        {"collections", filter_check_collections},
        {"exclude_collections", filter_check_excluded},
    };
    char origin[1200];
    struct error why;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (!checks[i].check(config, &why)) {
            error_context(&why, "%s: %s", config_origin(config, checks[i].key, origin, sizeof origin), checks[i].key);
            error_list_add(wrong, &why);
        }
}

struct config *master_load_config(const char *path, struct error *why)
{
    struct error_list wrong = {0};
    struct config *config = config_read(path, &wrong);
    if (config != NULL)
        master_check_config(config, &wrong);
    if (wrong.count == 0)
        return config;
    error_list_first(&wrong, why);
    config_free(config);
    return NULL;
}
