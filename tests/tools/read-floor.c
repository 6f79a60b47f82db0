/* read-floor: reads a relay's bytes and does nothing else: what an event costs before anything is done with it.
 *
 *   read-floor URL CA-FILE SECONDS
 *
 * Blocking reads, into the same buffer always: no loop, no framing, no ring. One line of JSON: bytes, seconds, and the
 * seconds of CPU that this process spent meanwhile. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/stream.h"
#include "net/tls.h"
#include "net/url.h"
#include "net/ws_handshake.h"

enum { READ_BYTES = 256 << 10, WARM_UP_MS = 500 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "read-floor: %s: %s\n", what, why);
    exit(1);
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The bench's relay listens on the loopback address, whatever name its certificate has. */
static int connect_to(const struct url *url)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(url->port),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die(url->host, "cannot connect");
    return fd;
}

static void subscribe(struct stream *s, const struct url *url)
{
    char key[WS_KEY_TEXT_BYTES];
    struct buffer request;
    struct error why = {.text = "closed"};
    size_t put;
    buffer_init(&request);
    ws_key_make(key);
    ws_append_request(&request, url, "/xrpc/com.atproto.sync.subscribeRepos", key, "read-floor");
    if (stream_handshake(s, &why) != STREAM_OK ||
        stream_write(s, request.data, request.len, &put, &why) != STREAM_OK)
        die(url->host, why.text);
    buffer_fini(&request);
}

static size_t read_until(struct stream *s, uint8_t *bytes, double end)
{
    struct error why = {.text = "closed"};
    size_t total = 0, got;
    while (seconds_of(CLOCK_MONOTONIC) < end) {
        if (stream_read(s, bytes, READ_BYTES, &got, &why) != STREAM_OK)
            die("read", why.text);
        total += got;
    }
    return total;
}

int main(int argc, char **argv)
{
    struct url url;
    struct error why;
    struct stream s;
    if (argc != 4)
        die("usage", "read-floor URL CA-FILE SECONDS");
    signal(SIGPIPE, SIG_IGN);
    if (!url_parse(argv[1], &url, &why))
        die(argv[1], why.text);
    struct tls_context *tls = url_is_tls(&url) ? tls_client_new(argv[2], &why) : NULL;
    uint8_t *bytes = malloc(READ_BYTES);
    if ((url_is_tls(&url) && tls == NULL) || bytes == NULL)
        die(argv[2], bytes == NULL ? "out of memory" : why.text);
    if (!stream_init(&s, connect_to(&url), tls, url.host, &why))
        die(url.host, why.text);
    subscribe(&s, &url);
    double begin = seconds_of(CLOCK_MONOTONIC) + WARM_UP_MS / 1e3;
    read_until(&s, bytes, begin);
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    size_t total = read_until(&s, bytes, begin + strtod(argv[3], NULL));
    printf("{\"bytes\":%zu,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n", total, seconds_of(CLOCK_MONOTONIC) - begin,
           seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    stream_fini(&s);
    tls_free(tls);
    free(bytes);
    return 0;
}
