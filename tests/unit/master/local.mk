check_PROGRAMS += tests/unit/master/test_control_request
tests_unit_master_test_control_request_SOURCES = tests/unit/master/test_control_request.c
tests_unit_master_test_control_request_LDADD = libmaster.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)
