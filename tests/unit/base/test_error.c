/* The reason of a failure is never too long, and is always valid UTF-8. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/json_text.h"

static void context_goes_in_front(void **state)
{
    (void)state;
    struct error e;
    error_set(&e, "certificate has %s", "expired");
    error_context(&e, "relay %d", 1);
    assert_string_equal(e.text, "relay 1: certificate has expired");
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    struct error e;
    error_set(&e, "near '%s'", "\xe5\xa4\xa9\xff \xe5\xa4 \x80");
    assert_string_equal(e.text, "near '\xe5\xa4\xa9? ?? ?'");
    error_set(&e, "'%.4s'", "\xe5\xa4\xa9\xe5\xa4\xa9"); /* a precision counts bytes */
    assert_string_equal(e.text, "'\xe5\xa4\xa9?'");
}

static void text_that_is_cut_stays_utf8(void **state)
{
    (void)state;
    char many[3 * ERROR_TEXT_BYTES + 1] = "";
    for (size_t i = 0; i < ERROR_TEXT_BYTES; i++)
        memcpy(many + 3 * i, "\xe5\xa4\xa9", 4);
    for (int shift = 0; shift < 3; shift++) {
        struct error e;
        error_set(&e, "%.*s%s", shift, "ab", many);
        size_t whole = (ERROR_TEXT_BYTES - 1 - (size_t)shift) / 3 * 3;
        assert_int_equal(strlen(e.text), (size_t)shift + whole);
        assert_memory_equal(e.text + shift, many, whole);
        assert_true(utf8_valid(e.text, strlen(e.text), NULL));
        error_context(&e, "x");
        assert_int_equal(strncmp(e.text, "x: ", 3), 0);
        assert_true(utf8_valid(e.text, strlen(e.text), NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(text_that_is_cut_stays_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
