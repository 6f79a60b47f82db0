/* What is read out of INFO: whole names at the beginning of a line only, and the state of the append-only log. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "redis/info.h"

static const char memory[] = "# Memory\r\nused_memory:1048576\r\nused_memory_rss:4\r\nmaxmemory:0\r\n";

static void numbers_are_found_by_their_whole_name(void **state)
{
    (void)state;
    assert_int_equal(info_number(memory, "used_memory"), 1048576);
    assert_int_equal(info_number(memory, "maxmemory"), 0);
    assert_int_equal(info_number("a:7", "a"), 7);
    assert_int_equal(info_number(memory, "memory"), -1);
    assert_int_equal(info_number(memory, "used_mem"), -1);
    assert_int_equal(info_number("", "a"), -1);
    assert_int_equal(info_number("\n\n", "a"), -1);
}

static void texts_end_with_their_line_and_fit(void **state)
{
    (void)state;
    char out[8];
    info_text("run_id:abc\r\nport:1\r\n", "run_id", out, sizeof out);
    assert_string_equal(out, "abc");
    info_text("run_id:abc\r\nport:1", "port", out, sizeof out);
    assert_string_equal(out, "1");
    info_text("run_id:0123456789\r\n", "run_id", out, sizeof out);
    assert_string_equal(out, "0123456");
    info_text("run_id:0123456789\r\n", "port", out, sizeof out);
    assert_string_equal(out, "");
}

#define LOG(enabled, progress, scheduled, seconds, status) \
    "# Persistence\r\nloading:0\r\naof_enabled:" #enabled "\r\naof_rewrite_in_progress:" #progress \
    "\r\naof_rewrite_scheduled:" #scheduled "\r\naof_last_rewrite_time_sec:" #seconds \
    "\r\naof_current_rewrite_time_sec:-1\r\naof_last_bgrewrite_status:" #status "\r\naof_last_write_status:ok\r\n"

static void log_is_sound_only_once_it_was_written_anew(void **state)
{
    (void)state;
    static const struct {
        const char *info;
        enum append_log log;
    } cases[] = {
        {LOG(0, 0, 0, -1, ok), APPEND_LOG_SOUND},         {LOG(1, 0, 0, -1, ok), APPEND_LOG_INHERITED},
        {LOG(1, 0, 0, 0, ok), APPEND_LOG_SOUND},          {LOG(1, 1, 0, 3, ok), APPEND_LOG_SOUND},
        {LOG(1, 1, 0, -1, ok), APPEND_LOG_BEING_WRITTEN}, {LOG(1, 0, 1, -1, ok), APPEND_LOG_BEING_WRITTEN},
        {LOG(1, 0, 0, 3, err), APPEND_LOG_FAILED},        {LOG(1, 1, 0, 3, err), APPEND_LOG_BEING_WRITTEN},
        {LOG(1, 0, 0, -1, err), APPEND_LOG_INHERITED},    {"", APPEND_LOG_SOUND},
        {LOG(1, 0, 1, -1, err), APPEND_LOG_FAILED},       {"aof_enabled:1\r\n", APPEND_LOG_FAILED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(info_append_log(cases[i].info), cases[i].log);
}

static void concerns_name_what_to_change(void **state)
{
    (void)state;
    static const struct {
        const char *info, *says;
    } cases[] = {
        {"role:master\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", ""}, /* there is no limit */
        {"role:master\r\nmaxmemory:9\r\nmaxmemory_policy:noeviction\r\n", ""},
        {"role:master\r\nmaxmemory:9\r\nmaxmemory_policy:volatile-lru\r\n", ""}, /* our keys have no time to live */
        {"role:master\r\nmaxmemory:9\r\nmaxmemory_policy:allkeys-lru\r\n", "maxmemory-policy allkeys-lru evicts"},
        {"role:slave\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n", "it is a replica"},
        {"", ""},
    };
    char text[200];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        info_concern(cases[i].info, text, sizeof text);
        assert_int_equal(strncmp(text, cases[i].says, cases[i].says[0] != '\0' ? strlen(cases[i].says) : 1), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_found_by_their_whole_name),
        cmocka_unit_test(texts_end_with_their_line_and_fit),
        cmocka_unit_test(log_is_sound_only_once_it_was_written_anew),
        cmocka_unit_test(concerns_name_what_to_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
