/* Every message becomes one line, whatever bytes it has. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "base/log_format.h"

static char out[LOG_LINE_BYTES + 1];

static const struct log_line example = {.time_us = INT64_C(1764000095123000),
                                        .level = LOG_LEVEL_WARN,
                                        .process = "worker-1",
                                        .pid = 4711,
                                        .text = "redis: \"gone\" \\ away"};

static size_t format(const struct log_line *line, enum log_format format, bool for_syslog)
{
    size_t n = log_format_line(line, format, for_syslog, out);
    assert_true(n <= LOG_LINE_BYTES);
    out[n] = '\0';
    return n;
}

static void test_text_has_time_level_process_and_what(void **state)
{
    (void)state;
    format(&example, LOG_FORMAT_TEXT, false);
    assert_string_equal(out, "2025-11-24T16:01:35.123Z warn worker-1[4711]: redis: \"gone\" \\ away\n");
}

static void test_json_has_the_same_as_members(void **state)
{
    (void)state;
    size_t n = format(&example, LOG_FORMAT_JSON, false);
    assert_int_equal(out[n - 1], '\n');
    json_t *json = json_loads(out, 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "time")), "2025-11-24T16:01:35.123Z");
    assert_string_equal(json_string_value(json_object_get(json, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(json, "process")), "worker-1");
    assert_int_equal(json_integer_value(json_object_get(json, "pid")), 4711);
    assert_string_equal(json_string_value(json_object_get(json, "text")), example.text);
    json_decref(json);
}

static void test_syslog_gets_facility_daemon_and_the_severity(void **state)
{
    (void)state;
    static const int severities[] = {31, 30, 28, 27}; /* daemon is 3: 3 * 8 + 7, 6, 4, 3 */
    struct log_line line = example;
    for (int level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++) {
        char head[64];
        line.level = (enum log_level)level;
        size_t n = format(&line, LOG_FORMAT_TEXT, true);
        snprintf(head, sizeof head, "<%d>firehosed[4711]: %s worker-1: ", severities[level],
                 log_level_name(line.level));
        assert_memory_equal(out, head, strlen(head));
        assert_int_not_equal(out[n - 1], '\n');
    }
}

static void test_long_lines_are_cut_between_characters_and_stay_json(void **state)
{
    (void)state;
    static char text[3 * LOG_LINE_BYTES + 1];
    for (size_t shift = 0; shift < 4; shift++) {
        size_t at = shift;
        memset(text, 'a', shift);
        for (; at + 3 <= sizeof text - 1; at += 3)
            memcpy(text + at, shift == 3 ? "\"\\\"" : "\xe2\x82\xac", 3);
        text[at] = '\0';
        struct log_line line = example;
        line.text = text;
        size_t n = format(&line, LOG_FORMAT_JSON, false);
        assert_true(n > LOG_LINE_BYTES - 8);
        json_t *json = json_loads(out, 0, NULL);
        assert_non_null(json);
        json_decref(json);
        n = format(&line, LOG_FORMAT_TEXT, false);
        assert_int_equal(out[n - 1], '\n');
    }
}

static void assert_printable(const char *text, const char *expected)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    log_make_printable(copy);
    assert_string_equal(copy, expected);
}

static void test_nothing_forges_a_line_or_steers_a_terminal(void **state)
{
    (void)state;
    assert_printable("a\nb\rc\td", "a?b?c?d");
    assert_printable("\x1b[31mred\x7f", "?[31mred?");
    assert_printable("\xc2\x9b""31m", "??31m"); /* the control sequence introducer beyond ASCII */
    assert_printable("caf\xc3\xa9 \xf0\x9f\xa6\x8b", "caf\xc3\xa9 \xf0\x9f\xa6\x8b");
    assert_printable("\xc3", "?");
    assert_printable("a\xff\xfe" "b\xed\xa0\x80", "a??b???");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_has_time_level_process_and_what),
        cmocka_unit_test(test_json_has_the_same_as_members),
        cmocka_unit_test(test_syslog_gets_facility_daemon_and_the_severity),
        cmocka_unit_test(test_long_lines_are_cut_between_characters_and_stay_json),
        cmocka_unit_test(test_nothing_forges_a_line_or_steers_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
