/* JSON strings and base64 are the same as those of JavaScript; UTF-8 is checked, repaired and cut between
 * characters. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* A reference that escapes one byte after another. */
static void append_slowly(struct buffer *b, const uint8_t *text, size_t len)
{
    buffer_append_byte(b, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            buffer_append_format(b, "\\%c", text[i]);
        else if (text[i] == '\n')
            buffer_append_literal(b, "\\n");
        else if (text[i] < 0x20)
            buffer_append_format(b, "\\u%04x", text[i]);
        else
            buffer_append_byte(b, text[i]);
    }
    buffer_append_byte(b, '"');
}

/* The code takes whole words, so it must find a special byte at every place of a word, in texts of every length. */
static void escapes_are_found_at_every_place(void **state)
{
    (void)state;
    static const char *const specials[] = {"",     "\"",       "\\",           "\n",
                                           "\x01", "\xc3\xa9", "\xe3\x81\x82", "\xf0\x9f\x98\x80"};
    for (size_t len = 0; len <= 40; len++)
        for (size_t at = 0; at <= len; at++)
            for (size_t s = 0; s < sizeof specials / sizeof specials[0]; s++) {
                size_t size = len + strlen(specials[s]), bad = 77;
                uint8_t *exact = malloc(size > 0 ? size : 1); /* a sanitizer finds a read behind its end */
                assert_non_null(exact);
                memset(exact, 'a' + (int)(len % 26), size);
                memcpy(exact + at, specials[s], strlen(specials[s]));
                struct buffer fast, slow;
                buffer_init(&fast);
                buffer_init(&slow);
                assert_true(json_append_text(&fast, exact, size, &bad));
                append_slowly(&slow, exact, size);
                assert_int_equal(fast.len, slow.len);
                assert_memory_equal(fast.data, slow.data, slow.len);
                assert_true(utf8_valid(exact, size, NULL));
                if (size > 0) {
                    exact[at < size ? at : size - 1] = 0xff;
                    assert_false(json_append_text(&slow, exact, size, &bad));
                    size_t same = 77;
                    assert_false(utf8_valid(exact, size, &same));
                    assert_int_equal(bad, same);
                }
                free(exact);
                buffer_fini(&fast);
                buffer_fini(&slow);
            }
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

static void fitting_never_cuts_a_character(void **state)
{
    (void)state;
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x82z"; /* characters of 1, 2, 3, 4 and 1 bytes */
    static const size_t fits[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11, 11};
    for (size_t room = 0; room < sizeof fits / sizeof fits[0]; room++)
        assert_int_equal(utf8_fitting(text, room), fits[room]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_copied),
        cmocka_unit_test(control_characters_and_quotes_are_escaped),
        cmocka_unit_test(escapes_are_found_at_every_place),
        cmocka_unit_test(invalid_utf8_is_refused_and_nothing_appended),
        cmocka_unit_test(base64_pads_only_when_asked),
        cmocka_unit_test(fitting_never_cuts_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
