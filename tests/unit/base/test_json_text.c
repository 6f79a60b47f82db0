/* JSON strings and base64: what is written is what a JavaScript peer would have written. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <cmocka.h>

#include "base/json_text.h"

static void assert_json(const void *text, size_t len, const char *expected)
{
    struct buffer b;
    buffer_init(&b);
    assert_true(json_append_string(&b, text, len));
    assert_int_equal(b.len, strlen(expected));
    assert_memory_equal(b.data, expected, b.len);
    buffer_fini(&b);
}

#define assert_json_literal(literal, expected) assert_json(literal, sizeof(literal) - 1, expected)

static void plain_text_is_copied(void **state)
{
    (void)state;
    assert_json_literal("", "\"\"");
    assert_json_literal("did:plc:abc", "\"did:plc:abc\"");
    assert_json_literal("a long text without anything to escape, longer than a vector",
                        "\"a long text without anything to escape, longer than a vector\"");
    assert_json_literal("天幕のジャードゥーガル 💦", "\"天幕のジャードゥーガル 💦\"");
    assert_json_literal("\x7f\xe2\x80\xa8", "\"\x7f\xe2\x80\xa8\""); /* DEL and U+2028 need no escape */
}

static void control_characters_and_quotes_are_escaped(void **state)
{
    (void)state;
    assert_json_literal("\"\\/", "\"\\\"\\\\/\"");
    assert_json_literal("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    assert_json_literal("\0\x01\x1f", "\"\\u0000\\u0001\\u001f\"");
    assert_json_literal("0123456789abcde\n0123456789abcdef\"", "\"0123456789abcde\\n0123456789abcdef\\\"\"");
}

static void invalid_utf8_is_refused_and_nothing_appended(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",     "\xc0\xaf",         "\xc1\xbf",         "\xe0\x80\xaf",
                                      "\xed\xa0\x80", /* surrogate */ "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80", "\xe3\x81", "abc\xff", "\xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer b;
        buffer_init(&b);
        buffer_append_literal(&b, "kept");
        assert_false(json_append_string(&b, bad[i], strlen(bad[i])));
        assert_int_equal(b.len, 4);
        assert_false(utf8_valid(bad[i], strlen(bad[i]), NULL));
        buffer_fini(&b);
    }
    size_t where;
    assert_false(utf8_valid("0123456789abcdefghij\xff", 21, &where));
    assert_int_equal(where, 20);
}

static void base64_pads_only_when_asked(void **state)
{
    (void)state;
    static const struct {
        const char *in, *padded, *bare;
    } cases[] = {{"", "", ""},           {"f", "Zg==", "Zg"},       {"fo", "Zm8=", "Zm8"},
                 {"foo", "Zm9v", "Zm9v"}, {"foob", "Zm9vYg==", "Zm9vYg"}, {"\xfb\xff", "+/8=", "+/8"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer b;
        buffer_init(&b);
        json_append_base64(&b, cases[i].in, strlen(cases[i].in), true);
        buffer_append_byte(&b, ' ');
        json_append_base64(&b, cases[i].in, strlen(cases[i].in), false);
        buffer_append_byte(&b, '\0');
        char expected[32];
        snprintf(expected, sizeof expected, "%s %s", cases[i].padded, cases[i].bare);
        assert_string_equal(b.data, expected);
        buffer_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_copied),
        cmocka_unit_test(control_characters_and_quotes_are_escaped),
        cmocka_unit_test(invalid_utf8_is_refused_and_nothing_appended),
        cmocka_unit_test(base64_pads_only_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
