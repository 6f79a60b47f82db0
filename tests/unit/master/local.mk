check_PROGRAMS += tests/unit/master/test_config_change
tests_unit_master_test_config_change_SOURCES = tests/unit/master/test_config_change.c
tests_unit_master_test_config_change_LDADD = libmaster.a libbase.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/master/test_progress
tests_unit_master_test_progress_SOURCES = tests/unit/master/test_progress.c
tests_unit_master_test_progress_LDADD = libmaster.a libbase.a $(CMOCKA_LIBS)
