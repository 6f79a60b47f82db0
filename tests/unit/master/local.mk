check_PROGRAMS += tests/unit/master/test_control_request
tests_unit_master_test_control_request_SOURCES = tests/unit/master/test_control_request.c
tests_unit_master_test_control_request_LDADD = libmaster.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/master/test_lag
tests_unit_master_test_lag_SOURCES = tests/unit/master/test_lag.c
tests_unit_master_test_lag_LDADD = libmaster.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/master/test_census
tests_unit_master_test_census_SOURCES = tests/unit/master/test_census.c
tests_unit_master_test_census_LDADD = libmaster.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/master/test_health
tests_unit_master_test_health_SOURCES = tests/unit/master/test_health.c
tests_unit_master_test_health_LDADD = libmaster.a $(JANSSON_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/master/test_seen tests/unit/master/test_seek
tests_unit_master_test_seen_SOURCES = tests/unit/master/test_seen.c
tests_unit_master_test_seen_LDADD = libmaster.a libbase.a $(CMOCKA_LIBS)
tests_unit_master_test_seek_SOURCES = tests/unit/master/test_seek.c
tests_unit_master_test_seek_LDADD = libmaster.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/master/test_sources
tests_unit_master_test_sources_SOURCES = tests/unit/master/test_sources.c
tests_unit_master_test_sources_LDADD = libmaster.a libnet.a libbase.a $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/master/test_ring
tests_unit_master_test_ring_SOURCES = tests/unit/master/test_ring.c
tests_unit_master_test_ring_LDADD = libmaster.a libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/master/test_ledger
tests_unit_master_test_ledger_SOURCES = tests/unit/master/test_ledger.c
tests_unit_master_test_ledger_LDADD = libmaster.a libbase.a $(CMOCKA_LIBS)
