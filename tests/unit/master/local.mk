check_PROGRAMS += tests/unit/master/test_sequence
tests_unit_master_test_sequence_SOURCES = tests/unit/master/test_sequence.c
tests_unit_master_test_sequence_LDADD = libmaster.a libbase.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/master/test_config_change
tests_unit_master_test_config_change_SOURCES = tests/unit/master/test_config_change.c
tests_unit_master_test_config_change_LDADD = libmaster.a libbase.a $(CMOCKA_LIBS)
