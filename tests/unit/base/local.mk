check_PROGRAMS += tests/unit/base/test_json_text
tests_unit_base_test_json_text_SOURCES = tests/unit/base/test_json_text.c
tests_unit_base_test_json_text_LDADD = libbase.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_text
tests_unit_base_test_text_SOURCES = tests/unit/base/test_text.c
tests_unit_base_test_text_LDADD = libbase.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_text_set
tests_unit_base_test_text_set_SOURCES = tests/unit/base/test_text_set.c
tests_unit_base_test_text_set_LDADD = libbase.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_clock
tests_unit_base_test_clock_SOURCES = tests/unit/base/test_clock.c
tests_unit_base_test_clock_LDADD = libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/base/test_rfc3339
tests_unit_base_test_rfc3339_SOURCES = tests/unit/base/test_rfc3339.c
tests_unit_base_test_rfc3339_LDADD = libbase.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_error
tests_unit_base_test_error_SOURCES = tests/unit/base/test_error.c
tests_unit_base_test_error_LDADD = libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/base/test_log_fold
tests_unit_base_test_log_fold_SOURCES = tests/unit/base/test_log_fold.c
tests_unit_base_test_log_fold_LDADD = libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/base/test_log_format
tests_unit_base_test_log_format_SOURCES = tests/unit/base/test_log_format.c
tests_unit_base_test_log_format_LDADD = libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/base/test_log
tests_unit_base_test_log_SOURCES = tests/unit/base/test_log.c
tests_unit_base_test_log_LDADD = libbase.a $(CMOCKA_LIBS)
