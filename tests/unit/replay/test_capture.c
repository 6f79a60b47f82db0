/* A capture that is written can be read again, and a capture that is cut off is recognised. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/test_capture.XXXXXX");
    int fd = mkstemp(path);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void put_file(const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void frames_come_back_as_they_were_written(void **state)
{
    (void)state;
    struct capture_writer w;
    struct capture c;
    struct error why;
    char large[70000];
    memset(large, 'x', sizeof large);
    assert_true(capture_create(&w, path, true, &why));
    assert_true(capture_write(&w, "first", 5, &why));
    assert_true(capture_write(&w, "", 0, &why));
    assert_true(capture_write(&w, large, sizeof large, &why));
    assert_true(capture_finish(&w, &why));
    assert_int_equal(w.frames, 3);
    assert_int_equal(w.bytes, 5 + sizeof large);

    assert_true(capture_open(&c, path, &why));
    assert_false(c.is_truncated);
    assert_int_equal(c.count, 3);
    assert_int_equal(c.frames[0].len, 5);
    assert_memory_equal(c.frames[0].bytes, "first", 5);
    assert_int_equal(c.frames[1].len, 0);
    assert_int_equal(c.frames[2].len, sizeof large);
    assert_memory_equal(c.frames[2].bytes, large, sizeof large);
    capture_close(&c);
}

static void lengths_are_little_endian(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    capture_append(&b, "abc", 3);
    assert_int_equal(b.len, 7);
    assert_memory_equal(b.data, "\3\0\0\0abc", 7);
    buffer_fini(&b);
}

static void a_file_that_is_cut_off_is_good_up_to_there(void **state)
{
    (void)state;
    static const char whole[] = "\1\0\0\0a\2\0\0\0bc";
    for (size_t len = 1; len < sizeof whole - 1; len++) {
        struct capture c;
        struct error why;
        put_file(whole, len);
        assert_true(capture_open(&c, path, &why));
        assert_int_equal(c.is_truncated, len != 5);
        assert_int_equal(c.count, len >= 5);
        assert_int_equal(c.good_bytes, len >= 5 ? 5 : 0);
        if (c.is_truncated)
            assert_non_null(strstr(why.text, "in the middle of a frame"));
        capture_close(&c);
    }
}

static void an_empty_file_has_no_frames(void **state)
{
    (void)state;
    struct capture c;
    struct error why;
    put_file("", 0);
    assert_true(capture_open(&c, path, &why));
    assert_int_equal(c.count, 0);
    assert_false(c.is_truncated);
    capture_close(&c);
}

static void what_is_no_capture_is_refused(void **state)
{
    (void)state;
    struct capture c;
    struct error why;
    put_file("GET / HTTP/1.1\r\n", 16);
    assert_false(capture_open(&c, path, &why));
    assert_non_null(strstr(why.text, "not a capture"));
    assert_false(capture_open(&c, "/nonexistent/file", &why));
    assert_non_null(strstr(why.text, "No such file"));
    assert_false(capture_open(&c, "/tmp", &why));
    assert_non_null(strstr(why.text, "not a regular file"));
}

static void memory_is_taken_over(void **state)
{
    (void)state;
    struct buffer b;
    struct capture c;
    struct error why;
    buffer_init(&b);
    for (int i = 0; i < 3000; i++)
        capture_append(&b, &i, sizeof i);
    assert_true(capture_adopt(&c, &b, &why));
    assert_null(b.data);
    assert_int_equal(c.count, 3000);
    assert_memory_equal(c.frames[2999].bytes, &(int){2999}, sizeof(int));
    capture_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_back_as_they_were_written),
        cmocka_unit_test(lengths_are_little_endian),
        cmocka_unit_test(a_file_that_is_cut_off_is_good_up_to_there),
        cmocka_unit_test(an_empty_file_has_no_frames),
        cmocka_unit_test(what_is_no_capture_is_refused),
        cmocka_unit_test(memory_is_taken_over),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
