/* A line of the control protocol is a request, or it is refused with a code and a reason. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "control/control_request.h"

static struct control_request request;
static enum control_code code;
static struct error why;

static bool parse(const char *line)
{
    why.text[0] = '\0';
    return control_request_parse(line, strlen(line), &request, &code, &why);
}

static void assert_refused(const char *line, enum control_code expected, const char *part)
{
    assert_false(parse(line));
    assert_int_equal(code, expected);
    if (strstr(why.text, part) == NULL)
        fail_msg("'%s' refused with '%s', expected '%s' in it", line, why.text, part);
    control_request_fini(&request);
}

static void test_command_alone_is_a_request(void **state)
{
    (void)state;
    assert_true(parse("{\"command\":\"status\"}"));
    assert_string_equal(request.command, "status");
    assert_null(request.id);
    assert_null(request.args);
    control_request_fini(&request);
}

static void test_version_id_and_arguments_are_kept(void **state)
{
    (void)state;
    assert_true(parse("{\"v\":1,\"id\":\"a-7\",\"command\":\"config\",\"args\":{\"key\":\"relay\"}}"));
    assert_string_equal(json_string_value(request.id), "a-7");
    assert_string_equal(json_string_value(json_object_get(request.args, "key")), "relay");
    control_request_fini(&request);
    assert_true(parse("{\"id\":-3,\"command\":\"status\"}"));
    assert_int_equal(json_integer_value(request.id), -3);
    control_request_fini(&request);
}

/* The reason goes into the answer, as JSON: jansson's quotes the line up to where it is wrong, in the middle of a
 * character where it must. */
static void test_reason_is_utf8_whatever_the_line_was(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "\"\\ud8\xe5\xa4\xa9", "\xff\xfe", "{\"command\":\"\xe5\xa4\"}",
        "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe5\xa4\xa9\":1}"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_false(parse(lines[i]));
        json_t *text = json_string(why.text);
        assert_non_null(text);
        json_decref(text);
        control_request_fini(&request);
    }
}

static void test_what_is_no_request_is_refused(void **state)
{
    (void)state;
    assert_refused("", CONTROL_BAD_REQUEST, "not JSON");
    assert_refused("hello", CONTROL_BAD_REQUEST, "not JSON");
    assert_refused("[]", CONTROL_BAD_REQUEST, "not an object");
    assert_refused("{}", CONTROL_BAD_REQUEST, "no command");
    assert_refused("{\"command\":7}", CONTROL_BAD_REQUEST, "no command");
    assert_refused("{\"command\":\"a\",\"command\":\"b\"}", CONTROL_BAD_REQUEST, "duplicate");
    assert_refused("{\"command\":\"a\"} {}", CONTROL_BAD_REQUEST, "not JSON");
    assert_refused("{\"command\":\"a\",\"args\":[1]}", CONTROL_BAD_REQUEST, "args");
    assert_refused("{\"command\":\"a\",\"arg\":{}}", CONTROL_BAD_REQUEST, "'arg'");
    assert_refused("{\"command\":\"a\",\"id\":1.5}", CONTROL_BAD_REQUEST, "id");
    assert_refused("{\"command\":\"a\",\"id\":{}}", CONTROL_BAD_REQUEST, "id");
}

static void test_other_versions_are_refused_by_a_code_of_their_own(void **state)
{
    (void)state;
    assert_refused("{\"v\":2,\"command\":\"status\"}", CONTROL_BAD_VERSION, "version 1");
    assert_refused("{\"v\":\"1\",\"command\":\"status\"}", CONTROL_BAD_VERSION, "version 1");
}

static void test_a_refusal_still_knows_the_id(void **state)
{
    (void)state;
    assert_false(parse("{\"v\":9,\"id\":41,\"command\":\"status\"}"));
    assert_int_equal(json_integer_value(request.id), 41);
    control_request_fini(&request);
}

static void test_limits_are_kept(void **state)
{
    (void)state;
    size_t len = CONTROL_REQUEST_MAX_BYTES + 1;
    char *line = malloc(len + 1);
    assert_non_null(line);
    memset(line, ' ', len);
    line[len] = '\0';
    assert_refused(line, CONTROL_BAD_REQUEST, "at most 65536 bytes");
    memset(line, '[', 10000);
    line[10000] = '\0';
    assert_refused(line, CONTROL_BAD_REQUEST, "not JSON");
    strcpy(line, "{\"command\":\"a\",\"id\":\"");
    memset(line + strlen(line), 'x', CONTROL_ID_MAX_BYTES + 1);
    strcpy(line + 22 + CONTROL_ID_MAX_BYTES, "\"}");
    assert_refused(line, CONTROL_BAD_REQUEST, "id");
    free(line);
}

static void test_every_code_has_a_name(void **state)
{
    (void)state;
    for (int c = 0; c < CONTROL_CODES; c++)
        assert_non_null(control_code_name((enum control_code)c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_alone_is_a_request),
        cmocka_unit_test(test_version_id_and_arguments_are_kept),
        cmocka_unit_test(test_reason_is_utf8_whatever_the_line_was),
        cmocka_unit_test(test_what_is_no_request_is_refused),
        cmocka_unit_test(test_other_versions_are_refused_by_a_code_of_their_own),
        cmocka_unit_test(test_a_refusal_still_knows_the_id),
        cmocka_unit_test(test_limits_are_kept),
        cmocka_unit_test(test_every_code_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
