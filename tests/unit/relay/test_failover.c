/* When another relay is read, when the first comes back, and what is asked for there: decisions, without a relay. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "relay/failover.h"

enum { ATTEMPTS = 3, FAILBACK_MS = 1000 };

#define MINUTE_US (INT64_C(60) * 1000000)

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

static struct config config_with(const char *relay)
{
    return (struct config){.relay = text(relay),
                           .cursor_key = text("cursor"),
                           .progress_key = text("progress"),
                           .relay_attempts = ATTEMPTS,
                           .relay_failback = FAILBACK_MS,
                           .relay_memory = 1000,
                           .relay_connect_timeout = 1000};
}

static void no_change(void *arg, struct failover_wish wish)
{
    (void)arg;
    (void)wish;
    fail_msg("a change that nobody has asked for");
}

static struct failover *failover(const struct config *config)
{
    const struct failover_hooks hooks = {.change = no_change};
    struct error why;
    struct failover *f = failover_new(NULL, NULL, config, &hooks, 0, &why);
    assert_non_null(f);
    return f;
}

static void assert_wish(struct failover_wish wish, unsigned index, bool is_try)
{
    assert_true(wish.is_wanted);
    assert_int_equal(wish.index, index);
    assert_int_equal(wish.is_try, is_try);
}

/* All that was read is written: the relay changes. */
static void change(struct failover *f, struct failover_wish wish, int64_t newest_us, int64_t now_ms)
{
    assert_true(wish.is_wanted);
    failover_select(f, wish, newest_us, now_ms);
}

static void change_to(struct failover *f, unsigned index, int64_t now_ms)
{
    change(f, (struct failover_wish){.is_wanted = true, .index = index}, 0, now_ms);
}

static struct frame_peek commit(int64_t seq, const char *did, const char *rev)
{
    return (struct frame_peek){.kind = FRAME_COMMIT,
                               .has_seq = true,
                               .seq = seq,
                               .did = {(const uint8_t *)did, strlen(did)},
                               .rev = {(const uint8_t *)rev, strlen(rev)}};
}

/* ---- when another relay is read ---- */

static void a_wrong_list_is_refused_with_a_reason(void **state)
{
    (void)state;
    struct config c = config_with("redis://a.example");
    const struct failover_hooks hooks = {.change = no_change};
    struct error why;
    assert_null(failover_new(NULL, NULL, &c, &hooks, 0, &why));
    assert_string_equal(why.text, "not the URL of a relay, expected ws:// or wss://");
}

static void relay_attempts_failures_in_a_row_lead_to_the_next(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = failover(&c);
    for (int i = 1; i < ATTEMPTS; i++)
        assert_false(failover_on_failed(f, false, 0, 0));
    assert_true(failover_on_failed(f, false, 0, 0));
    assert_wish(failover_next(f, 0), 1, false);
    change(f, failover_next(f, 0), 0, 0);
    assert_string_equal(failover_current(f)->name, "b.example");
    assert_int_equal(failover_changes(f), 1);
    assert_wish(failover_next(f, 0), 0, false); /* round again */
    failover_free(f);
}

static void a_healthy_connection_breaks_the_row_of_failures(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = failover(&c);
    for (int i = 1; i < ATTEMPTS; i++)
        assert_false(failover_on_failed(f, false, 0, 0));
    assert_false(failover_on_failed(f, true, 0, 0)); /* it was healthy when it ended: the first failure of a new row */
    for (int i = 2; i < ATTEMPTS; i++)
        assert_false(failover_on_failed(f, false, 0, 0));
    failover_tick(f, 0, true, false); /* it is healthy now */
    for (int i = 1; i < ATTEMPTS; i++)
        assert_false(failover_on_failed(f, false, 0, 0));
    assert_true(failover_on_failed(f, false, 0, 0));
    failover_free(f);
}

static void a_relay_that_asks_for_a_long_pause_is_left_at_once(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example"), alone = config_with("ws://a.example");
    struct failover *f = failover(&c), *single = failover(&alone);
    assert_false(failover_on_failed(f, false, c.relay_backoff_max, 0));
    assert_true(failover_on_failed(f, false, c.relay_backoff_max + 1, 0));
    assert_false(failover_on_failed(single, false, 300000, 0));
    failover_free(f);
    failover_free(single);
}

static void relays_that_all_ask_for_a_pause_are_not_asked_in_turns(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example ws://c.example");
    struct failover *f = failover(&c);
    for (unsigned to = 1; to <= 2; to++) {
        assert_true(failover_on_failed(f, false, 60000, 0));
        assert_wish(failover_next(f, 0), to, false);
        change(f, failover_next(f, 0), 0, 0);
    }
    for (int i = 0; i < 2 * ATTEMPTS; i++) /* the pause is waited out */
        assert_false(failover_on_failed(f, false, 60000, 0));
    assert_false(failover_next(f, 59999).is_wanted);
    assert_false(failover_is_due_to_return(f, 59999));
    assert_true(failover_is_due_to_return(f, 60000));
    assert_true(failover_on_failed(f, false, 0, 60000)); /* a row of failures, and the first does not rest any more */
    assert_wish(failover_next(f, 60000), 0, false);
    failover_free(f);
}

static void a_single_relay_is_never_given_up(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example");
    struct failover *f = failover(&c);
    for (int i = 0; i < 100; i++)
        assert_false(failover_on_failed(f, false, 0, 0));
    assert_false(failover_next(f, 0).is_wanted);
    failover_free(f);
}

/* ---- when the first comes back ---- */

static void the_first_is_looked_for_after_relay_failback(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = failover(&c);
    assert_false(failover_is_due_to_return(f, 10 * FAILBACK_MS)); /* it is read */
    change_to(f, 1, 5000);
    assert_false(failover_is_due_to_return(f, 5000 + FAILBACK_MS - 1));
    assert_true(failover_is_due_to_return(f, 5000 + FAILBACK_MS));
    c.relay_failback = 0; /* never */
    assert_false(failover_is_due_to_return(f, 5000 + FAILBACK_MS));
    failover_free(f);
}

static void a_first_that_does_not_answer_is_looked_for_later(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = failover(&c);
    change_to(f, 1, 0);
    assert_false(failover_on_probed(f, 3000, false).is_wanted);
    assert_false(failover_is_due_to_return(f, 3000 + FAILBACK_MS - 1));
    assert_true(failover_is_due_to_return(f, 3000 + FAILBACK_MS)); /* a look in vain does not double the time */
    failover_free(f);
}

static void a_first_that_answers_is_tried_and_a_single_failure_leads_back(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example ws://c.example");
    struct failover *f = failover(&c);
    change_to(f, 2, 0);
    struct failover_wish wish = failover_on_probed(f, 2000, true);
    assert_wish(wish, 0, true);
    change(f, wish, 0, 2000);
    assert_true(failover_on_failed(f, false, 0, 0));
    assert_wish(failover_next(f, 0), 2, false);
    change(f, failover_next(f, 0), 0, 2000);
    assert_false(failover_is_due_to_return(f, 2000 + 2 * FAILBACK_MS - 1)); /* tried in vain: twice as long */
    assert_true(failover_is_due_to_return(f, 2000 + 2 * FAILBACK_MS));
    failover_free(f);
}

static void a_first_that_proves_healthy_stays(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = failover(&c);
    change_to(f, 1, 0);
    change(f, failover_on_probed(f, 2000, true), 0, 2000);
    failover_tick(f, 3000, true, true);
    assert_false(failover_on_failed(f, false, 0, 0));
    assert_int_equal(failover_changes(f), 2);
    failover_free(f);
}

/* The answer comes while the relay has changed to the first by itself. */
static void an_answer_of_the_first_that_is_read_already_means_nothing(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = failover(&c);
    assert_false(failover_on_probed(f, 0, true).is_wanted);
    failover_free(f);
}

/* ---- the look itself, over a real socket ---- */

struct look {
    struct event_base *base;
    struct failover_wish wish;
};

static void on_change(void *arg, struct failover_wish wish)
{
    struct look *look = arg;
    look->wish = wish;
    event_base_loopbreak(look->base);
}

static int listen_on_loopback(char url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(url, 64, "ws://127.0.0.1:%u ws://b.example", (unsigned)ntohs(address.sin_port));
    return fd;
}

static void a_tick_looks_whether_the_first_answers_and_wishes_to_go_back(void **state)
{
    (void)state;
    char urls[64];
    int fd = listen_on_loopback(urls);
    struct config c = config_with(urls);
    struct look look = {.base = event_base_new()};
    const struct failover_hooks hooks = {.arg = &look, .change = on_change};
    struct error why;
    struct failover *f = failover_new(look.base, NULL, &c, &hooks, 0, &why);
    assert_non_null(f);
    change_to(f, 1, 0);
    failover_tick(f, FAILBACK_MS, false, false); /* a change would not be carried out now: no look */
    failover_tick(f, FAILBACK_MS - 1, false, true);
    event_base_loop(look.base, EVLOOP_NONBLOCK);
    assert_false(look.wish.is_wanted);
    failover_tick(f, FAILBACK_MS, false, true);
    failover_tick(f, FAILBACK_MS, false, true); /* one look at a time */
    event_base_dispatch(look.base);
    assert_wish(look.wish, 0, true);
    failover_free(f);
    event_base_free(look.base);
    close(fd);
}

/* ---- what is asked for there ---- */

static struct failover *changed(struct config *c, int64_t newest_us)
{
    struct failover *f = failover(c);
    change(f, failover_next(f, 0), newest_us, 0);
    return f;
}

static void a_relay_that_was_read_before_goes_on_at_its_cursor(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = changed(&c, 100 * MINUTE_US);
    assert_int_equal(failover_begin(f, true), FAILOVER_AT_CURSOR);
    assert_false(failover_is_searching(f));
    failover_free(f);
}

static void a_relay_without_a_cursor_is_searched_for_the_last_event_written(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = changed(&c, 100 * MINUTE_US);
    assert_int_equal(failover_begin(f, false), FAILOVER_SEARCHING);
    assert_true(failover_is_searching(f));
    assert_false(failover_search_cursor(f).is_known); /* live */
    struct frame_peek newest = commit(1000000, "did:plc:alice", ""), older = commit(990000, "did:plc:alice", "");
    struct frame_peek unnumbered = {.kind = FRAME_UNKNOWN};
    assert_int_equal(failover_judge(f, &unnumbered, optional_none()), SEARCH_TAKE);
    assert_int_equal(failover_judge(f, &newest, optional_none()), SEARCH_SKIP);
    assert_int_equal(failover_judge(f, &newest, optional_of(100 * MINUTE_US)), SEARCH_RECONNECT);
    assert_true(optional_is(failover_search_cursor(f), 1000000 - 4096));
    failover_on_connected(f);
    assert_int_equal(failover_judge(f, &older, optional_of(99 * MINUTE_US)), SEARCH_SKIP); /* a minute older */
    assert_false(failover_search_tick(f));
    assert_true(failover_search_tick(f)); /* no more come: it is believed */
    assert_true(optional_is(failover_search_cursor(f), 990000 - 1));
    failover_on_connected(f);
    assert_int_equal(failover_judge(f, &older, optional_of(99 * MINUTE_US)), SEARCH_TAKE); /* found */
    assert_false(failover_is_searching(f));
    assert_int_equal(failover_judge(f, &newest, optional_none()), SEARCH_TAKE);
    failover_free(f);
}

static void a_search_ends_with_the_next_change_or_a_cursor_that_was_set(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = changed(&c, 100 * MINUTE_US);
    failover_begin(f, false);
    change(f, failover_next(f, 0), 100 * MINUTE_US, 0);
    failover_begin(f, true);
    assert_false(failover_is_searching(f));
    failover_begin(f, false);
    failover_on_cursor_set(f);
    assert_false(failover_is_searching(f));
    failover_free(f);
}

static void a_relay_without_a_cursor_begins_as_start_says_where_nothing_was_written(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = changed(&c, 0);
    c.start = CONFIG_START_OLDEST;
    assert_int_equal(failover_begin(f, false), FAILOVER_WITH_OLDEST);
    c.start = CONFIG_START_LIVE;
    assert_int_equal(failover_begin(f, false), FAILOVER_WITH_LIVE);
    assert_false(failover_is_searching(f));
    failover_free(f);
}

/* ---- deduplication ---- */

#define AT_2020        "3gv352zok2222"
#define A_LITTLE_LATER "3gv352zok2722"

static void what_one_relay_sent_is_a_duplicate_of_the_next(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = failover(&c);
    struct frame_peek event = commit(1, "did:plc:alice", AT_2020), later = commit(2, "did:plc:alice", A_LITTLE_LATER);
    struct frame_peek identity = event;
    identity.kind = FRAME_IDENTITY;
    failover_note_taken(f, &event);
    assert_false(failover_is_duplicate(f, &event)); /* within a relay its seqs decide */
    change_to(f, 1, 0);
    assert_true(failover_is_duplicate(f, &event));
    assert_false(failover_is_duplicate(f, &later));
    assert_false(failover_is_duplicate(f, &identity)); /* it has no rev */
    failover_free(f);
}

static void nothing_is_a_duplicate_after_data_was_lost_or_a_cursor_set(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = failover(&c);
    struct frame_peek event = commit(1, "did:plc:alice", AT_2020), later = commit(2, "did:plc:alice", A_LITTLE_LATER);
    failover_note_taken(f, &event);
    failover_on_cursor_set(f);
    change_to(f, 1, 0);
    assert_false(failover_is_duplicate(f, &event));
    failover_forget_taken(f);
    failover_note_taken(f, &later);
    change_to(f, 0, 0);
    assert_false(failover_is_duplicate(f, &event)); /* it may be lost: it is of before */
    assert_true(failover_is_duplicate(f, &later));
    failover_free(f);
}

/* A gap may lie in front of live events: the first relay's cursor is older, and it fills the gap when it comes back. */
static void what_happened_before_a_live_beginning_is_no_duplicate(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = changed(&c, 0);
    struct frame_peek event = commit(1, "did:plc:alice", AT_2020), later = commit(2, "did:plc:alice", A_LITTLE_LATER);
    assert_int_equal(failover_begin(f, false), FAILOVER_WITH_LIVE);
    failover_note_taken(f, &later);
    change_to(f, 0, 0);
    assert_false(failover_is_duplicate(f, &event));
    assert_true(failover_is_duplicate(f, &later));
    failover_free(f);
}

static void a_single_relay_needs_no_memory(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example");
    struct failover *f = failover(&c);
    struct frame_peek event = commit(1, "did:plc:alice", AT_2020);
    failover_note_taken(f, &event);
    assert_false(failover_is_duplicate(f, &event));
    failover_on_cursor_set(f);
    failover_forget_taken(f);
    failover_free(f);
}

/* ---- another list ---- */

static void a_list_with_the_current_relay_in_its_place_is_taken_at_once(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example");
    struct failover *f = failover(&c);
    struct error why;
    struct frame_peek event = commit(1, "did:plc:alice", AT_2020);
    c.relay = text("ws://a.example ws://b.example");
    assert_int_equal(failover_set_list(f, true, &why), FAILOVER_SAME_SEQUENCE);
    assert_int_equal(failover_list(f)->count, 2);
    assert_null(failover_new_list(f));
    failover_note_taken(f, &event); /* there are several now: that needs the memory */
    change_to(f, 1, 0);
    assert_true(failover_is_duplicate(f, &event));
    failover_free(f);
}

static void another_list_waits_until_what_was_read_is_written(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example ws://b.example");
    struct failover *f = failover(&c);
    const struct relay_list *list = failover_list(f);
    struct error why;
    c.relay = text("ws://c.example ws://d.example");
    assert_int_equal(failover_set_list(f, true, &why), FAILOVER_OTHER_SEQUENCE);
    assert_string_equal(failover_current(f)->name, "a.example");
    assert_string_equal(failover_new_list(f)->list[0].name, "c.example");
    change_to(f, 0, 0);
    assert_string_equal(failover_current(f)->name, "c.example");
    assert_null(failover_new_list(f));
    assert_ptr_equal(failover_list(f), list); /* the relay keeps its address */
    c.relay = text("ws://e.example");
    change(f, failover_next(f, 0), 100 * MINUTE_US, 0);
    assert_int_equal(failover_begin(f, false), FAILOVER_SEARCHING);
    assert_int_equal(failover_set_list(f, true, &why), FAILOVER_OTHER_SEQUENCE);
    failover_take_new_list(f);
    assert_false(failover_is_searching(f)); /* that was for d.example */
    assert_string_equal(failover_current(f)->name, "e.example");
    assert_int_equal(failover_changes(f), 2); /* a new sequence, not a failover */
    failover_free(f);
}

static void another_list_is_taken_at_once_where_nothing_was_read(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example");
    struct failover *f = failover(&c);
    struct error why;
    c.relay = text("ws://b.example");
    assert_int_equal(failover_set_list(f, false, &why), FAILOVER_SAME_SEQUENCE);
    assert_string_equal(failover_current(f)->name, "b.example");
    failover_free(f);
}

static void a_wrong_list_leaves_the_old_one(void **state)
{
    (void)state;
    struct config c = config_with("ws://a.example");
    struct failover *f = failover(&c);
    struct error why;
    c.relay = text("");
    assert_int_equal(failover_set_list(f, true, &why), FAILOVER_LIST_FAILED);
    assert_string_equal(why.text, "no relay, expected the URL of at least one");
    assert_string_equal(failover_current(f)->name, "a.example");
    failover_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_list_is_refused_with_a_reason),
        cmocka_unit_test(relay_attempts_failures_in_a_row_lead_to_the_next),
        cmocka_unit_test(a_healthy_connection_breaks_the_row_of_failures),
        cmocka_unit_test(a_relay_that_asks_for_a_long_pause_is_left_at_once),
        cmocka_unit_test(relays_that_all_ask_for_a_pause_are_not_asked_in_turns),
        cmocka_unit_test(a_single_relay_is_never_given_up),
        cmocka_unit_test(the_first_is_looked_for_after_relay_failback),
        cmocka_unit_test(a_first_that_does_not_answer_is_looked_for_later),
        cmocka_unit_test(a_first_that_answers_is_tried_and_a_single_failure_leads_back),
        cmocka_unit_test(a_first_that_proves_healthy_stays),
        cmocka_unit_test(an_answer_of_the_first_that_is_read_already_means_nothing),
        cmocka_unit_test(a_tick_looks_whether_the_first_answers_and_wishes_to_go_back),
        cmocka_unit_test(a_relay_that_was_read_before_goes_on_at_its_cursor),
        cmocka_unit_test(a_relay_without_a_cursor_is_searched_for_the_last_event_written),
        cmocka_unit_test(a_search_ends_with_the_next_change_or_a_cursor_that_was_set),
        cmocka_unit_test(a_relay_without_a_cursor_begins_as_start_says_where_nothing_was_written),
        cmocka_unit_test(what_one_relay_sent_is_a_duplicate_of_the_next),
        cmocka_unit_test(nothing_is_a_duplicate_after_data_was_lost_or_a_cursor_set),
        cmocka_unit_test(what_happened_before_a_live_beginning_is_no_duplicate),
        cmocka_unit_test(a_single_relay_needs_no_memory),
        cmocka_unit_test(a_list_with_the_current_relay_in_its_place_is_taken_at_once),
        cmocka_unit_test(another_list_waits_until_what_was_read_is_written),
        cmocka_unit_test(another_list_is_taken_at_once_where_nothing_was_read),
        cmocka_unit_test(a_wrong_list_leaves_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
