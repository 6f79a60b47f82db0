relay_test_libraries = librelay.a libring.a libnet.a libbase.a $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/relay/test_dedup
tests_unit_relay_test_dedup_SOURCES = tests/unit/relay/test_dedup.c
tests_unit_relay_test_dedup_LDADD = $(relay_test_libraries)
check_PROGRAMS += tests/unit/relay/test_failover
tests_unit_relay_test_failover_SOURCES = tests/unit/relay/test_failover.c
tests_unit_relay_test_failover_LDADD = $(relay_test_libraries)
check_PROGRAMS += tests/unit/relay/test_liveness
tests_unit_relay_test_liveness_SOURCES = tests/unit/relay/test_liveness.c
tests_unit_relay_test_liveness_LDADD = $(relay_test_libraries)
check_PROGRAMS += tests/unit/relay/test_relay_list
tests_unit_relay_test_relay_list_SOURCES = tests/unit/relay/test_relay_list.c
tests_unit_relay_test_relay_list_LDADD = $(relay_test_libraries)
check_PROGRAMS += tests/unit/relay/test_start_search
tests_unit_relay_test_start_search_SOURCES = tests/unit/relay/test_start_search.c
tests_unit_relay_test_start_search_LDADD = $(relay_test_libraries)
