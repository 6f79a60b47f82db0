/* URLs. The input is one.
 *
 * What is shown of a URL never holds its password, and a URL without one, shown and read again, is the same.
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "net/url.h"

static void check_again(const struct url *url, const char *shown)
{
    struct url again;
    struct error why = {""};
    must(url_parse(shown, &again, &why), "'%s': %s", shown, why.text);
    must(again.scheme == url->scheme && again.port == url->port && again.database == url->database);
    must(strcmp(again.host, url->host) == 0 && strcmp(again.path, url->path) == 0, "'%s'", shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[4096], shown[4096];
    struct url url;
    struct error why = {""};
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!url_parse(text, &url, &why)) {
        must(why.text[0] != '\0');
        return 0;
    }
    url_redacted(&url, shown, sizeof shown);
    if (url.password[0] != '\0') {
        /* With the password alone changed, the same is shown: it is not in there. */
        static char other[4096];
        struct url changed = url;
        memset(changed.password, 'x', sizeof changed.password - 1);
        must(strcmp(shown, url_redacted(&changed, other, sizeof other)) == 0, "'%s'", shown);
    }
    /* A unix path is shown decoded, for people. */
    if (url.user[0] == '\0' && url.password[0] == '\0' && url.scheme != URL_UNIX)
        check_again(&url, shown);
    return 0;
}
