/* Patterns match the right collections, and wrong patterns are refused. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "atproto/collections.h"

static bool match(const char *list, const char *path)
{
    struct error why;
    struct collections *c = collections_new(list, &why);
    assert_non_null(c);
    bool matches = collections_match(c, (const uint8_t *)path, strlen(path));
    collections_free(c);
    return matches;
}

static void nsid_matches_itself_alone(void **state)
{
    (void)state;
    assert_true(match("app.bsky.feed.post", "app.bsky.feed.post/3l"));
    assert_true(match("app.bsky.feed.post", "app.bsky.feed.post"));
    assert_false(match("app.bsky.feed.post", "app.bsky.feed.postgate/3l"));
    assert_false(match("app.bsky.feed.post", "app.bsky.feed.pos/3l"));
    assert_false(match("app.bsky.feed.post", "app.bsky.feed.post.more/3l"));
    assert_false(match("app.bsky.feed.post", ""));
}

static void star_stands_for_all_below(void **state)
{
    (void)state;
    assert_true(match("app.bsky.feed.*", "app.bsky.feed.like/3l"));
    assert_true(match("app.bsky.*", "app.bsky.feed.like/3l"));
    assert_false(match("app.bsky.feed.*", "app.bsky.feed/3l"));
    assert_false(match("app.bsky.feed.*", "app.bsky.feed./3l"));
    assert_false(match("app.bsky.feed.*", "app.bsky.feedback.x/3l"));
    assert_true(match("*", "any.thing.at.all/self"));
    assert_true(match("*", "/"));
}

static void list_matches_what_one_of_it_does(void **state)
{
    (void)state;
    const char *list = " app.bsky.feed.post,app.bsky.graph.* \t com.example.x ";
    assert_true(match(list, "app.bsky.feed.post/1"));
    assert_true(match(list, "app.bsky.graph.follow/1"));
    assert_true(match(list, "com.example.x/1"));
    assert_false(match(list, "app.bsky.feed.like/1"));
    assert_false(match("", "app.bsky.feed.like/1"));
}

static void wrong_patterns_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "post", "app.*.post", "app..post", ".app.post", "app.bsky.", "app.bsky*",      "**",
        ".*",   "app/bsky.*", "app.b_y.x", "a.b, c",    "*.post",    "app.b\xc3\xbc.x"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error why;
        assert_null(collections_new(wrong[i], &why));
        assert_non_null(strstr(why.text, "is not a collection"));
    }
}

static void part_of_a_name_that_matches_nothing_brings_a_suggestion(void **state)
{
    (void)state;
    struct error why;
    assert_null(collections_new("app.bsky.feed.post, app.bsky", &why));
    assert_string_equal(why.text, "'app.bsky' is not a collection and matches nothing, did you mean 'app.bsky.*'?");
}

static void filter_is_wanted_without_unwanted(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *unwanted, *path;
        bool passes;
    } cases[] = {
        {"", "", "a.b.c/1", true},           {"a.b.*", "", "a.b.c/1", true},
        {"a.b.*", "", "a.c.c/1", false},     {"", "a.b.c", "a.b.c/1", false},
        {"", "a.b.c", "a.b.d/1", true},      {"a.b.*", "a.b.c", "a.b.c/1", false},
        {"a.b.*", "a.b.c", "a.b.d/1", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error why;
        struct collections *wanted = collections_new(cases[i].wanted, &why);
        struct collections *unwanted = collections_new(cases[i].unwanted, &why);
        const struct collection_filter f = {wanted, unwanted};
        assert_int_equal(collection_passes(&f, (const uint8_t *)cases[i].path, strlen(cases[i].path)),
                         cases[i].passes);
        collections_free(wanted);
        collections_free(unwanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nsid_matches_itself_alone),         cmocka_unit_test(star_stands_for_all_below),
        cmocka_unit_test(list_matches_what_one_of_it_does),  cmocka_unit_test(wrong_patterns_are_named),
        cmocka_unit_test(part_of_a_name_that_matches_nothing_brings_a_suggestion),
        cmocka_unit_test(filter_is_wanted_without_unwanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
