check_PROGRAMS += tests/unit/redis/test_replies
tests_unit_redis_test_replies_SOURCES = tests/unit/redis/test_replies.c
tests_unit_redis_test_replies_LDADD = libredis.a libbase.a $(HIREDIS_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/redis/test_info
tests_unit_redis_test_info_SOURCES = tests/unit/redis/test_info.c
tests_unit_redis_test_info_LDADD = libredis.a libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/redis/test_progress
tests_unit_redis_test_progress_SOURCES = tests/unit/redis/test_progress.c
tests_unit_redis_test_progress_LDADD = libredis.a libnet.a libbase.a $(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) \
	$(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/redis/test_entry
tests_unit_redis_test_entry_SOURCES = tests/unit/redis/test_entry.c
tests_unit_redis_test_entry_LDADD = libredis.a libnet.a libbase.a $(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) \
	$(CMOCKA_LIBS)
