/* A process that maps the file finds the stamps. A stamp outside the file is ignored. */
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

#include "stamps.h"

enum { FIRST_SEQ = 5000 };

static int64_t number_at(const char *path, long index)
{
    int64_t number = -1;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, index * (long)sizeof number, SEEK_SET), 0);
    assert_int_equal(fread(&number, sizeof number, 1, file), 1);
    fclose(file);
    return number;
}

static void test_each_seq_has_its_place(void **state)
{
    (void)state;
    char path[] = "/tmp/test_stamps.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct stamps s;
    struct error why;
    assert_true(stamps_open(&s, path, FIRST_SEQ, &why));
    stamps_note(&s, FIRST_SEQ + 2);
    stamps_note(&s, FIRST_SEQ);
    stamps_note(&s, FIRST_SEQ - 1);
    stamps_note(&s, FIRST_SEQ + (uint64_t)STAMPS_MAX);
    stamps_close(&s);
    assert_int_equal(number_at(path, 0), FIRST_SEQ);
    assert_int_equal(number_at(path, 2), 0);
    int64_t earlier = number_at(path, 3), later = number_at(path, 1);
    assert_true(earlier > 0 && later >= earlier);
    unlink(path);
}

static void test_without_a_file_nothing_is_noted(void **state)
{
    (void)state;
    struct stamps s = {0};
    stamps_note(&s, FIRST_SEQ);
    assert_null(s.at);
}

static void test_a_file_that_cannot_be_made_is_told(void **state)
{
    (void)state;
    struct stamps s = {0};
    struct error why;
    assert_false(stamps_open(&s, "/nonexistent/stamps", FIRST_SEQ, &why));
    assert_non_null(strstr(why.text, "/nonexistent/stamps"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_seq_has_its_place),
        cmocka_unit_test(test_without_a_file_nothing_is_noted),
        cmocka_unit_test(test_a_file_that_cannot_be_made_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
