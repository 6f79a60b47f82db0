check_PROGRAMS += tests/unit/ipc/test_channel
tests_unit_ipc_test_channel_SOURCES = tests/unit/ipc/test_channel.c
tests_unit_ipc_test_channel_LDADD = libipc.a libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/ipc/test_counters
tests_unit_ipc_test_counters_SOURCES = tests/unit/ipc/test_counters.c
tests_unit_ipc_test_counters_LDADD = libipc.a libbase.a $(CMOCKA_LIBS)
