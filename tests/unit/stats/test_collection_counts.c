/* The table of collections: counts, order, bounds. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "stats/collection_counts.h"

static void count_times(struct collection_counts *c, const char *path, int times)
{
    for (int i = 0; i < times; i++)
        collection_counts_count(c, (const uint8_t *)path, strlen(path));
}

static uint64_t events_of(const struct collection_counts *c, const char *name)
{
    const struct collection_count *all;
    size_t count = collection_counts_all(c, &all);
    for (size_t i = 0; i < count; i++)
        if (all[i].len == strlen(name) && memcmp(all[i].name, name, all[i].len) == 0)
            return all[i].events;
    return 0;
}

static uint64_t sum(const struct collection_counts *c)
{
    const struct collection_count *all;
    uint64_t n = collection_counts_other(c);
    for (size_t i = collection_counts_all(c, &all); i > 0; i--)
        n += all[i - 1].events;
    return n;
}

static void most_frequent_come_first(void **state)
{
    (void)state;
    struct collection_counts *c = collection_counts_new();
    const struct collection_count *top[3];
    count_times(c, "app.bsky.feed.post/3k", 20);
    count_times(c, "app.bsky.feed.like/3k", 60);
    count_times(c, "app.bsky.graph.follow/3k", 30);
    count_times(c, "app.bsky.graph.block/3k", 1);
    assert_int_equal(collection_counts_top(c, top, 3), 3);
    assert_memory_equal(top[0]->name, "app.bsky.feed.like", top[0]->len);
    assert_memory_equal(top[1]->name, "app.bsky.graph.follow", top[1]->len);
    assert_memory_equal(top[2]->name, "app.bsky.feed.post", top[2]->len);
    assert_int_equal(top[0]->events, 60);
    assert_int_equal(collection_counts_top(c, top, 0), 0);
    collection_counts_free(c);
}

static void what_is_no_collection_counts_as_other(void **state)
{
    (void)state;
    struct collection_counts *c = collection_counts_new();
    char longest[400];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "a.b.", 4);
    memcpy(longest + 350, "/k", 3);
    static const char *const bad[] = {"",       "/",       "/key",          "app.bsky.feed.post", "post/key",
                                      "a.b/key", "a.b.\"/k", "a.b.\n/k",     "a.b.\xc3\xa9/k",     "a.b c.d/k"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        count_times(c, bad[i], 1);
    count_times(c, longest, 1);
    const struct collection_count *all;
    assert_int_equal(collection_counts_all(c, &all), 0);
    assert_int_equal(collection_counts_other(c), 11);
    collection_counts_free(c);
}

static void names_that_look_alike_are_kept_apart(void **state)
{
    (void)state;
    struct collection_counts *c = collection_counts_new();
    /* The same length and the same end: the same slot. */
    count_times(c, "aa.example.feed.post/1", 3);
    count_times(c, "ab.example.feed.post/1", 5);
    assert_int_equal(events_of(c, "aa.example.feed.post"), 3);
    assert_int_equal(events_of(c, "ab.example.feed.post"), 5);
    collection_counts_free(c);
}

static void flood_of_names_is_bounded_and_counted(void **state)
{
    (void)state;
    struct collection_counts *c = collection_counts_new();
    const struct collection_count *all;
    count_times(c, "app.bsky.feed.like/k", 10);
    for (int i = 0; i < 100000; i++) {
        char path[64];
        snprintf(path, sizeof path, "com.example.n%d.thing/k", i);
        count_times(c, path, 1);
    }
    assert_true(collection_counts_all(c, &all) <= COLLECTION_COUNTS_MAX);
    assert_int_equal(events_of(c, "app.bsky.feed.like"), 10);
    assert_int_equal(sum(c), 100010);
    collection_counts_free(c);
}

static void quiet_names_make_room_and_none_is_lost_from_the_sum(void **state)
{
    (void)state;
    struct collection_counts *c = collection_counts_new();
    for (int i = 0; i < 2000; i++) {
        char path[64];
        snprintf(path, sizeof path, "com.example.n%d/k", i);
        count_times(c, path, 1);
    }
    assert_int_equal(events_of(c, "app.bsky.feed.like"), 0);
    for (int second = 0; second < 400; second++)
        collection_counts_tick(c, 1);
    count_times(c, "app.bsky.feed.like/k", 7);
    assert_int_equal(events_of(c, "app.bsky.feed.like"), 7);
    assert_int_equal(sum(c), 2007);
    collection_counts_free(c);
}

static void rates_are_smoothed_and_fall_to_nothing(void **state)
{
    (void)state;
    struct collection_counts *c = collection_counts_new();
    const struct collection_count *all;
    for (int second = 0; second < 60; second++) {
        count_times(c, "app.bsky.feed.like/k", 50);
        collection_counts_tick(c, 1);
    }
    assert_int_equal(collection_counts_all(c, &all), 1);
    assert_true(all[0].per_s > 49 && all[0].per_s <= 50);
    assert_true(all[0].is_listed);
    for (int second = 0; second < 100; second++)
        collection_counts_tick(c, 1);
    assert_true(all[0].per_s < 0.01);
    collection_counts_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_frequent_come_first),
        cmocka_unit_test(what_is_no_collection_counts_as_other),
        cmocka_unit_test(names_that_look_alike_are_kept_apart),
        cmocka_unit_test(flood_of_names_is_bounded_and_counted),
        cmocka_unit_test(quiet_names_make_room_and_none_is_lost_from_the_sum),
        cmocka_unit_test(rates_are_smoothed_and_fall_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
