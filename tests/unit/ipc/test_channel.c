/* Control messages between master and worker: the master takes nothing from a worker that is not a message,
 * and no descriptor that comes along stays open. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/channel.h"

enum { MOST_DESCRIPTORS = 3 };

struct ends {
    struct channel master, worker;
};

static int set_up(void **state)
{
    static struct ends ends;
    struct error why;
    *state = &ends;
    return channel_pair(&ends.master, &ends.worker, &why) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct ends *ends = *state;
    channel_close(&ends->master);
    channel_close(&ends->worker);
    return 0;
}

/* What no honest end sends: any size, any number of descriptors. */
static void send_raw(const struct channel *c, const void *bytes, size_t len, size_t descriptors)
{
    int fds[MOST_DESCRIPTORS] = {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO};
    union {
        char bytes[CMSG_SPACE(sizeof fds)];
        struct cmsghdr align;
    } space = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptors > 0) {
        message.msg_control = space.bytes;
        message.msg_controllen = CMSG_SPACE(descriptors * sizeof fds[0]);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(descriptors * sizeof fds[0]);
        memcpy(CMSG_DATA(head), fds, descriptors * sizeof fds[0]);
    }
    assert_int_equal(sendmsg(c->control, &message, 0), len);
}

/* The lowest that is free: how a leak shows. */
static int next_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static void message_arrives_with_its_descriptor(void **state)
{
    struct ends *ends = *state;
    struct ipc_message sent = {.type = IPC_ACK, .value = 3, .id = 99, .text = "text"}, got;
    int fd;
    assert_int_equal(channel_receive(&ends->master, &got, &fd), IPC_AGAIN);
    assert_int_equal(channel_send(&ends->worker, &sent, STDERR_FILENO), IPC_OK);
    assert_int_equal(channel_send(&ends->worker, &sent, -1), IPC_OK);
    assert_int_equal(channel_receive(&ends->master, &got, &fd), IPC_OK);
    assert_memory_equal(&got, &sent, sizeof sent);
    assert_true(fd > STDERR_FILENO);
    close(fd);
    assert_int_equal(channel_receive(&ends->master, &got, &fd), IPC_OK);
    assert_int_equal(fd, -1);
}

static void text_without_end_is_ended(void **state)
{
    struct ends *ends = *state;
    struct ipc_message sent, got;
    int fd;
    memset(&sent, 'x', sizeof sent);
    send_raw(&ends->worker, &sent, sizeof sent, 0);
    assert_int_equal(channel_receive(&ends->master, &got, &fd), IPC_OK);
    assert_int_equal(strlen(got.text), IPC_TEXT_BYTES - 1);
}

static void datagram_of_another_size_is_no_message(void **state)
{
    struct ends *ends = *state;
    char bytes[sizeof(struct ipc_message) + 1] = "";
    struct ipc_message got;
    int fd;
    const size_t sizes[] = {1, sizeof got - 1, sizeof got + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        send_raw(&ends->worker, bytes, sizes[i], 0);
        assert_int_equal(channel_receive(&ends->master, &got, &fd), IPC_BROKEN);
        assert_int_equal(fd, -1);
    }
}

static void descriptors_that_do_not_belong_are_closed(void **state)
{
    struct ends *ends = *state;
    char bytes[sizeof(struct ipc_message) + 1] = "";
    struct ipc_message got;
    int fd, lowest = next_descriptor();
    for (size_t n = 1; n <= MOST_DESCRIPTORS; n++) {
        send_raw(&ends->worker, bytes, sizeof bytes, n);
        assert_int_equal(channel_receive(&ends->master, &got, &fd), IPC_BROKEN);
        assert_int_equal(next_descriptor(), lowest);
    }
    for (size_t n = 2; n <= MOST_DESCRIPTORS; n++) {
        send_raw(&ends->worker, bytes, sizeof got, n);
        assert_int_equal(channel_receive(&ends->master, &got, &fd), IPC_BROKEN);
        assert_int_equal(fd, -1);
        assert_int_equal(next_descriptor(), lowest);
    }
}

static void end_of_the_other_side_is_told(void **state)
{
    struct ends *ends = *state;
    struct ipc_message got;
    int fd;
    channel_close(&ends->worker);
    assert_int_equal(channel_receive(&ends->master, &got, &fd), IPC_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(message_arrives_with_its_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_without_end_is_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(datagram_of_another_size_is_no_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(descriptors_that_do_not_belong_are_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(end_of_the_other_side_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
