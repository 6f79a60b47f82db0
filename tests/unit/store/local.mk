check_PROGRAMS += tests/unit/store/test_begin_plan
tests_unit_store_test_begin_plan_SOURCES = tests/unit/store/test_begin_plan.c
tests_unit_store_test_begin_plan_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/store
tests_unit_store_test_begin_plan_LDADD = libstore.a libredis.a libnet.a libbase.a \
	$(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/store/test_fencing
tests_unit_store_test_fencing_SOURCES = tests/unit/store/test_fencing.c
tests_unit_store_test_fencing_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/store
tests_unit_store_test_fencing_LDADD = libstore.a libredis.a libnet.a libbase.a \
	$(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/store/test_trim
tests_unit_store_test_trim_SOURCES = tests/unit/store/test_trim.c
tests_unit_store_test_trim_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/store
tests_unit_store_test_trim_LDADD = libstore.a libredis.a libnet.a libbase.a \
	$(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/store/test_inherited
tests_unit_store_test_inherited_SOURCES = tests/unit/store/test_inherited.c
tests_unit_store_test_inherited_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/store
tests_unit_store_test_inherited_LDADD = libstore.a libredis.a libnet.a libbase.a \
	$(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/store/test_foreign
tests_unit_store_test_foreign_SOURCES = tests/unit/store/test_foreign.c
tests_unit_store_test_foreign_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/store
tests_unit_store_test_foreign_LDADD = libstore.a libredis.a libnet.a libbase.a \
	$(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(CMOCKA_LIBS)
