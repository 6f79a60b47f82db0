check_PROGRAMS += tests/unit/net/test_websocket
tests_unit_net_test_websocket_SOURCES = tests/unit/net/test_websocket.c
tests_unit_net_test_websocket_LDADD = $(net_link) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/net/test_resolver
tests_unit_net_test_resolver_SOURCES = tests/unit/net/test_resolver.c
tests_unit_net_test_resolver_LDADD = $(net_link) $(CMOCKA_LIBS)
