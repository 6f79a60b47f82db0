check_PROGRAMS += tests/unit/pool/test_decisions
tests_unit_pool_test_decisions_SOURCES = tests/unit/pool/test_decisions.c
tests_unit_pool_test_decisions_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/pool
tests_unit_pool_test_decisions_LDADD = libpool.a libring.a libipc.a libredis.a libnet.a libbase.a \
	$(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(SECCOMP_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/pool/test_pool
tests_unit_pool_test_pool_SOURCES = tests/unit/pool/test_pool.c
tests_unit_pool_test_pool_LDADD = $(tests_unit_pool_test_decisions_LDADD)
