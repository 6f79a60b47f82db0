check_PROGRAMS += tests/unit/base/test_json_text
tests_unit_base_test_json_text_SOURCES = tests/unit/base/test_json_text.c
tests_unit_base_test_json_text_LDADD = libbase.a $(CMOCKA_LIBS)
