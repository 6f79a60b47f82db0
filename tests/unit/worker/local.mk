check_PROGRAMS += tests/unit/worker/test_intake tests/unit/worker/test_batch
tests_unit_worker_test_intake_SOURCES = tests/unit/worker/test_intake.c
tests_unit_worker_test_intake_LDADD = libworker.a $(CMOCKA_LIBS)
tests_unit_worker_test_batch_SOURCES = tests/unit/worker/test_batch.c
tests_unit_worker_test_batch_LDADD = libworker.a libredis.a libatproto.a libipc.a libbase.a $(HIREDIS_LIBS) \
	$(OPENSSL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/worker/test_fencing
tests_unit_worker_test_fencing_SOURCES = tests/unit/worker/test_fencing.c
tests_unit_worker_test_fencing_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/worker
tests_unit_worker_test_fencing_LDADD = libworker.a libredis.a libbase.a $(HIREDIS_LIBS) $(CMOCKA_LIBS)
