/* Large sets of texts: the texts in the file are members, and no others are. SipHash gives the known values. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/siphash.h"
#include "base/text_set.h"

struct list {
    char path[64];
    int fd;
    struct error why;
};

static FILE *begin_list(struct list *l)
{
    snprintf(l->path, sizeof l->path, "/tmp/firehosed-list-XXXXXX");
    int fd = mkstemp(l->path);
    assert_true(fd >= 0);
    l->fd = text_set_file(&l->why);
    assert_true(l->fd >= 0);
    return fdopen(fd, "w");
}

static struct text_set *end_list(struct list *l, FILE *out)
{
    fclose(out);
    bool built = text_set_build(l->fd, l->path, "did:", &l->why);
    struct text_set *set = text_set_map(l->fd, &l->why);
    assert_int_equal(built, set != NULL);
    unlink(l->path);
    close(l->fd);
    return set;
}

static struct text_set *set_of(struct list *l, const char *text)
{
    FILE *out = begin_list(l);
    fputs(text, out);
    return end_list(l, out);
}

static bool has(const struct text_set *s, const char *text)
{
    return text_set_has(s, text, strlen(text));
}

/* The vectors of the authors' reference implementation: key 00 01 … 0f, message 00 01 … (length - 1). */
static void siphash_gives_the_published_values(void **state)
{
    (void)state;
    const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    uint8_t message[15];
    for (uint8_t i = 0; i < sizeof message; i++)
        message[i] = i;
    assert_true(siphash(key, message, 0) == 0x726fdb47dd0e0e31u);
    assert_true(siphash(key, message, 8) == 0x93f5f5799a932462u);
    assert_true(siphash(key, message, 15) == 0xa129ca6149be45e5u);
}

static void lines_are_members_and_nothing_else_is(void **state)
{
    (void)state;
    struct list l;
    struct text_set *s =
        set_of(&l, "# friends\n\n did:plc:one \ndid:plc:two\r\ndid:plc:one\n\tdid:web:three.example");
    assert_non_null(s);
    assert_int_equal(text_set_count(s), 3);
    assert_true(has(s, "did:plc:one"));
    assert_true(has(s, "did:plc:two"));
    assert_true(has(s, "did:web:three.example"));
    assert_false(has(s, "did:plc:on"));
    assert_false(has(s, "did:plc:four"));
    assert_false(has(s, "# friends"));
    assert_false(has(s, ""));
    text_set_free(s);
}

static void empty_list_has_no_members(void **state)
{
    (void)state;
    struct list l;
    struct text_set *s = set_of(&l, "# nobody\n");
    assert_non_null(s);
    assert_int_equal(text_set_count(s), 0);
    assert_false(has(s, "did:plc:one"));
    text_set_free(s);
}

static void wrong_line_is_named_to_builder_and_reader(void **state)
{
    (void)state;
    struct list l;
    assert_null(set_of(&l, "did:plc:one\nalice.example\n"));
    assert_non_null(
        strstr(l.why.text, ":2: 'alice.example' is not valid, expected one that begins with did:"));
}

static void missing_file_is_named(void **state)
{
    (void)state;
    struct error why;
    int fd = text_set_file(&why);
    assert_false(text_set_build(fd, "/nonexistent/list", "did:", &why));
    assert_null(text_set_map(fd, &why));
    assert_string_equal(why.text, "/nonexistent/list: No such file or directory");
    close(fd);
}

static void unfinished_file_is_told_from_a_set(void **state)
{
    (void)state;
    struct error why;
    int fd = text_set_file(&why);
    assert_null(text_set_map(fd, &why)); /* the builder was killed before it wrote anything */
    close(fd);
}

static void hundred_thousand_take_eight_bytes_each_and_all_are_found(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct list l;
    struct stat file;
    FILE *out = begin_list(&l);
    for (int i = 0; i < COUNT; i++)
        fprintf(out, "did:plc:%024d\n", i);
    int fd = dup(l.fd);
    struct text_set *s = end_list(&l, out);
    assert_non_null(s);
    assert_int_equal(text_set_count(s), COUNT);
    assert_int_equal(fstat(fd, &file), 0);
    assert_in_range(file.st_size, COUNT * 8, COUNT * 8 + 1024);
    close(fd);
    for (int i = -1000; i < COUNT + 1000; i++) {
        char text[64];
        snprintf(text, sizeof text, "did:plc:%024d", i);
        assert_int_equal(has(s, text), i >= 0 && i < COUNT);
    }
    text_set_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_published_values),
        cmocka_unit_test(lines_are_members_and_nothing_else_is),
        cmocka_unit_test(empty_list_has_no_members),
        cmocka_unit_test(wrong_line_is_named_to_builder_and_reader),
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(unfinished_file_is_told_from_a_set),
        cmocka_unit_test(hundred_thousand_take_eight_bytes_each_and_all_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
