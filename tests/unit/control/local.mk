check_PROGRAMS += tests/unit/control/test_control_request
tests_unit_control_test_control_request_SOURCES = tests/unit/control/test_control_request.c
tests_unit_control_test_control_request_LDADD = libcontrol.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)
