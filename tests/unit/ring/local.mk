check_PROGRAMS += tests/unit/ring/test_ledger
tests_unit_ring_test_ledger_SOURCES = tests/unit/ring/test_ledger.c
tests_unit_ring_test_ledger_LDADD = libring.a libbase.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/ring/test_ring
tests_unit_ring_test_ring_SOURCES = tests/unit/ring/test_ring.c
tests_unit_ring_test_ring_LDADD = libring.a libbase.a $(CMOCKA_LIBS)
