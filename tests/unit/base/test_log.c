/* The log never waits for its reader, tells what was lost, and trusts no line of a worker. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/log_fold.h"
#include "base/log_format.h"

enum { FLOOD = 5000 };

static int reader;
static int kept_stderr;
static char text[FLOOD * 256];

/* Makes one end of a pair stderr, opens the log on it, and keeps the other end. */
static void log_to(int ends[2], int ours, int theirs)
{
    struct error why;
    reader = ends[ours];
    dup2(ends[theirs], STDERR_FILENO);
    close(ends[theirs]);
    assert_true(log_open("", &why));
    assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0); /* others share it */
}

static int keep_stderr(void **state)
{
    (void)state;
    kept_stderr = dup(STDERR_FILENO);
    return 0;
}

static int give_stderr_back(void **state)
{
    (void)state;
    struct error why;
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(reader);
    return log_open("", &why) ? 0 : -1;
}

static void read_all(void)
{
    size_t n = 0;
    ssize_t got;
    fcntl(reader, F_SETFL, O_NONBLOCK);
    while ((got = read(reader, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
}

/* Fills the target until it takes nothing more, and reads. Then the next tick tells what was lost. */
static void flood_and_read(void)
{
    unsigned lines = 0;
    unsigned long long lost = 0;
    for (int i = 0; i < FLOOD; i++)
        log_always(LOG_LEVEL_ERROR, "line %d, %0200d", i, 0);
    read_all();
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_in_range(lines, 10, FLOOD - 1);
    log_tick();
    read_all();
    const char *told = strstr(text, "warn firehosed[");
    assert_non_null(told);
    assert_int_equal(sscanf(strstr(told, "]: "), "]: %llu lines are lost, as the log did not take them: nobody", &lost),
                     1);
    for (const char *at = text; at < told && (at = strchr(at, '\n')) != NULL && at < told; at++)
        lines++; /* the rest of a line that was taken in part */
    assert_int_equal(lines + lost, FLOOD);
    log_always(LOG_LEVEL_ERROR, "after");
    read_all();
    assert_non_null(strstr(text, "]: after\n"));
    assert_null(strstr(text, "lost"));
}

static void test_pipe_that_nobody_reads_holds_nobody_up(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_to(ends, 0, 1);
    flood_and_read();
}

static void test_socket_that_nobody_reads_holds_nobody_up(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    log_to(ends, 0, 1);
    flood_and_read();
}

static void test_lines_of_a_worker_are_limited_and_printable(void **state)
{
    (void)state;
    int ends[2];
    char message[LOG_LINE_BYTES];
    unsigned lines = 0;
    static const char worker[1], other[1];
    assert_int_equal(pipe(ends), 0);
    log_to(ends, 0, 1);
    for (int i = 0; i < 100000; i++) {
        int n = snprintf(message, sizeof message, "%cforged %d\n\x1b[31m", LOG_LEVEL_INFO, i);
        log_take(worker, "worker-0", 7, message, (size_t)n);
    }
    log_take(other, "worker-1", 8, "free(): invalid pointer\n", 24);
    log_take(other, "worker-1", 8, "", 0);
    read_all();
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, LOG_PLACE_LINES + 2);
    assert_non_null(strstr(text, "info worker-0[7]: forged 0??[31m\n"));
    assert_non_null(strstr(text, "error worker-1[8]: stderr: free(): invalid pointer?\n"));
}

static void test_worker_sends_level_and_text(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    reader = ends[0];
    log_forward(ends[1]);
    for (int i = 0; i < FLOOD; i++)
        log_always(LOG_LEVEL_WARN, "line %d", i);
    assert_int_equal(read(reader, text, sizeof text), 7);
    assert_memory_equal(text, "\2line 0", 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pipe_that_nobody_reads_holds_nobody_up, keep_stderr, give_stderr_back),
        cmocka_unit_test_setup_teardown(test_socket_that_nobody_reads_holds_nobody_up, keep_stderr, give_stderr_back),
        cmocka_unit_test_setup_teardown(test_lines_of_a_worker_are_limited_and_printable, keep_stderr,
                                        give_stderr_back),
        cmocka_unit_test_setup_teardown(test_worker_sends_level_and_text, keep_stderr, give_stderr_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
