/* The ring's memory: one for both sides, twice end to end, and no way for a worker to change it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring/ring.h"

enum { SIZE = 64 * 1024 };

static int set_up(void **state)
{
    static struct ring ring;
    struct error why;
    *state = &ring;
    return ring_map(&ring, SIZE, &why) ? 0 : -1;
}

static int tear_down(void **state)
{
    ring_unmap(*state);
    return 0;
}

/* Whether the kernel may write a byte there: without a fault of ours. */
static bool is_writable(const void *at)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    ssize_t n = read(ends[0], (void *)(uintptr_t)at, 1);
    assert_true(n == 1 || errno == EFAULT);
    close(ends[0]);
    close(ends[1]);
    return n == 1;
}

static bool is_readable(const void *at)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    ssize_t n = write(ends[1], at, 1);
    assert_true(n == 1 || errno == EFAULT);
    close(ends[0]);
    close(ends[1]);
    return n == 1;
}

static void what_is_written_is_seen_in_both_halves_of_both(void **state)
{
    struct ring *r = *state;
    assert_int_equal(r->size, SIZE);
    memcpy(r->bytes + SIZE - 3, "abcdef", 6); /* over the end */
    assert_memory_equal(r->bytes, "def", 3);
    assert_memory_equal(r->view + SIZE - 3, "abcdef", 6);
    assert_memory_equal(r->view, "def", 3);
    assert_memory_equal(r->view + 2 * SIZE - 3, "abc", 3);
}

static void view_is_not_writable_and_cannot_be_made_so(void **state)
{
    struct ring *r = *state;
    void *page = (void *)(uintptr_t)r->view;
    assert_true(is_writable(r->bytes));
    assert_false(is_writable(page));
    assert_int_equal(mprotect(page, 4096, PROT_READ | PROT_WRITE), -1);
    assert_int_equal(errno, EACCES);
    assert_false(is_writable(page));
}

static void child_has_the_view_and_not_the_rest(void **state)
{
    struct ring *r = *state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool ok = !is_readable(r->bytes) && !is_readable(r->bytes + SIZE);
        for (int half = 0; half < 2; half++) {
            void *at = (void *)(uintptr_t)(r->view + half * SIZE);
            void *copy = mremap(at, 0, SIZE, MREMAP_MAYMOVE); /* of a shared mapping: another one */
            ok = ok && is_readable(at) && mprotect(at, SIZE, PROT_READ | PROT_WRITE) < 0 && !is_writable(at) &&
                 madvise(at, SIZE, MADV_REMOVE) < 0;
            ok = ok && (copy == MAP_FAILED || (mprotect(copy, SIZE, PROT_READ | PROT_WRITE) < 0 && !is_writable(copy)));
        }
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void size_that_there_is_not_is_told(void **state)
{
    (void)state;
    struct ring r;
    struct error why;
    assert_false(ring_map(&r, SIZE_MAX / 4 & ~(size_t)4095, &why));
    assert_non_null(strstr(why.text, "ring of "));
    assert_null(r.bytes);
    assert_null(r.view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_seen_in_both_halves_of_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(view_is_not_writable_and_cannot_be_made_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(child_has_the_view_and_not_the_rest, set_up, tear_down),
        cmocka_unit_test(size_that_there_is_not_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
