check_PROGRAMS += tests/unit/base/test_json_text
tests_unit_base_test_json_text_SOURCES = tests/unit/base/test_json_text.c
tests_unit_base_test_json_text_LDADD = libbase.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_text_set
tests_unit_base_test_text_set_SOURCES = tests/unit/base/test_text_set.c
tests_unit_base_test_text_set_LDADD = libbase.a $(CMOCKA_LIBS)
