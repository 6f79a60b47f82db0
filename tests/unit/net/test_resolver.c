/* Name servers that change, and names with a dead address: with a name server of the test's own on the loopback. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <event2/dns_struct.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/connect.h"
#include "net/resolver.h"

static int bound(int type, const char *host, uint16_t port, uint16_t *got)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    inet_pton(AF_INET, host, &address.sin_addr);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&address, &len);
    *got = ntohs(address.sin_port);
    return fd;
}

static int start_connecting(const char *host, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    inet_pton(AF_INET, host, &to.sin_addr);
    assert_int_not_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 1);
    return fd;
}

/* Answers each question about IPv4 with the dead address first. */
static void answer(struct evdns_server_request *request, void *arg)
{
    (void)arg;
    for (int i = 0; i < request->nquestions; i++) {
        struct in_addr addresses[2];
        inet_pton(AF_INET, "127.0.0.2", &addresses[0]);
        inet_pton(AF_INET, "127.0.0.1", &addresses[1]);
        if (request->questions[i]->type == EVDNS_TYPE_A)
            evdns_server_request_add_a_reply(request, request->questions[i]->name, 2, addresses, 60);
    }
    evdns_server_request_respond(request, 0);
}

struct outcome {
    struct event_base *base;
    int fd;
    bool is_done;
};

static void on_done(void *arg, int fd, const struct error *why)
{
    struct outcome *o = arg;
    if (fd < 0)
        print_message("%s\n", why->text);
    o->fd = fd;
    o->is_done = true;
    event_base_loopbreak(o->base);
}

static void a_dead_address_leaves_time_for_the_next_one(void **state)
{
    enum { PENDING = 4 };
    (void)state;
    uint16_t port = 0, dns_port = 0;
    int dead, live, pending[PENDING];
    do { /* the same port on both addresses */
        dead = bound(SOCK_STREAM, "127.0.0.2", 0, &port);
        live = bound(SOCK_STREAM, "127.0.0.1", port, &port);
        if (live < 0)
            close(dead);
    } while (live < 0);
    assert_int_equal(listen(dead, 0), 0);
    assert_int_equal(listen(live, 8), 0);
    for (int i = 0; i < PENDING; i++) /* its queue is full now: the kernel answers nobody any more */
        pending[i] = start_connecting("127.0.0.2", port);
    struct outcome o = {.base = event_base_new(), .fd = -1};
    int dns_socket = bound(SOCK_DGRAM, "127.0.0.1", 0, &dns_port);
    struct evdns_server_port *server = evdns_add_server_port_with_base(o.base, dns_socket, 0, answer, NULL);
    struct evdns_base *dns = evdns_base_new(o.base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    char text[64];
    snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)dns_port);
    assert_int_equal(evdns_base_nameserver_ip_add(dns, text), 0);
    struct url url;
    struct error why;
    snprintf(text, sizeof text, "ws://relay.example:%u", (unsigned)port);
    assert_true(url_parse(text, &url, &why));
    assert_non_null(connect_start(o.base, dns, &url, 2000, on_done, &o));
    while (!o.is_done)
        event_base_loop(o.base, EVLOOP_ONCE);
    assert_true(o.fd >= 0);
    close(o.fd);
    evdns_base_free(dns, 1);
    evdns_close_server_port(server);
    event_base_loop(o.base, EVLOOP_NONBLOCK);
    event_base_free(o.base);
    for (int i = 0; i < PENDING; i++)
        close(pending[i]);
    close(dead);
    close(live);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void name_servers_follow_the_file(void **state)
{
    (void)state;
    char directory[] = "/tmp/firehosed-resolver-XXXXXX", path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/resolv.conf", directory);
    struct event_base *base = event_base_new();
    struct resolver r;
    assert_true(resolver_init(&r, base, path));
    struct evdns_base *dns = r.dns;
    assert_int_equal(evdns_base_count_nameservers(dns), 0);
    write_file(path, "nameserver 127.0.0.1\n"); /* it appears after the start */
    resolver_refresh(&r);
    assert_int_equal(evdns_base_count_nameservers(dns), 1);
    write_file(path, "nameserver 127.0.0.2\nnameserver 127.0.0.3\n");
    resolver_refresh(&r);
    resolver_refresh(&r);
    assert_int_equal(evdns_base_count_nameservers(dns), 2);
    unlink(path);
    resolver_refresh(&r);
    assert_int_equal(evdns_base_count_nameservers(dns), 2);
    assert_ptr_equal(r.dns, dns);
    resolver_fini(&r);
    event_base_loop(base, EVLOOP_NONBLOCK);
    event_base_free(base);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_address_leaves_time_for_the_next_one),
        cmocka_unit_test(name_servers_follow_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
