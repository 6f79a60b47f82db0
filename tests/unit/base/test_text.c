/* Text from outside is clean, valid UTF-8, and never cut within a character. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_text.h"
#include "base/text.h"

static void each_byte_of_an_unwanted_character_is_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"plain ~", "plain ~"},
        {"h\xc3\xa9! \xe2\x82\xac \xf0\x9f\xa6\x8b", "h\xc3\xa9! \xe2\x82\xac \xf0\x9f\xa6\x8b"},
        {"a\nb\rc\td\x01", "a?b?c?d?"},
        {"\x1b[31mred\x7f", "?[31mred?"},
        {"\xc2\x80.\xc2\x9b\x33\x31m.\xc2\x9f.\xc2\xa0", "??.??31m.??.\xc2\xa0"},           /* C1 */
        {"\xe2\x80\xaa.\xe2\x80\xae.\xe2\x81\xa6.\xe2\x81\xa9", "???.???.???.???"},         /* embedding, isolates */
        {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "????????"},                                   /* marks */
        {"\xe2\x80\xa8\xe2\x80\xa9", "??????"},                                             /* separators */
        {"\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xa5\xd8\x9b", "\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xa5\xd8\x9b"},
        {"cut \xe2\x82", "cut ??"},
        {"\xff\xc3\xa9\x80", "?\xc3\xa9?"},
        {"\xed\xa0\x80 surrogate", "??? surrogate"},
        {"\xc2", "?"},
        {"\xe2\x80", "??"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", cases[i].in);
        text_clean(text);
        assert_string_equal(text, cases[i].out);
        assert_int_equal(text_copy(text, sizeof text, cases[i].in, strlen(cases[i].in)), strlen(cases[i].out));
        assert_string_equal(text, cases[i].out);
    }
}

static void a_copy_is_cut_between_characters(void **state)
{
    (void)state;
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x82z"; /* characters of 1, 2, 3, 4 and 1 bytes */
    static const size_t fits[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t room = 0; room < sizeof fits / sizeof fits[0]; room++) {
        char copy[16], formatted[16];
        assert_int_equal(text_copy(copy, room + 1, text, strlen(text)), fits[room]);
        assert_memory_equal(copy, text, fits[room]);
        assert_int_equal(strlen(copy), fits[room]);
        text_format(formatted, room + 1, "%s", text);
        assert_string_equal(formatted, copy);
    }
}

static void bytes_that_are_no_text_are_copied_as_question_marks(void **state)
{
    (void)state;
    char copy[8];
    assert_int_equal(text_copy(copy, sizeof copy, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 10), 7);
    assert_string_equal(copy, "???????");
    assert_int_equal(text_copy(copy, sizeof copy, "a\0b", 3), 3);
    assert_string_equal(copy, "a?b");
    assert_int_equal(text_copy(copy, sizeof copy, NULL, 0), 0);
    assert_string_equal(copy, "");
}

static void a_format_cleans_what_it_quotes(void **state)
{
    (void)state;
    char out[32];
    struct text t;
    text_format(out, sizeof out, "%d: %s", 7, "\x1b]0;x\x07\xff");
    assert_string_equal(out, "7: ?]0;x??");
    char many[3 * TEXT_BYTES];
    memset(many, '\x9b', sizeof many);
    assert_int_equal(strlen(text_take(&t, many, sizeof many)), TEXT_BYTES - 1);
    assert_true(utf8_valid(t.text, strlen(t.text), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_of_an_unwanted_character_is_replaced),
        cmocka_unit_test(a_copy_is_cut_between_characters),
        cmocka_unit_test(bytes_that_are_no_text_are_copied_as_question_marks),
        cmocka_unit_test(a_format_cleans_what_it_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
