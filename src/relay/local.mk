noinst_LIBRARIES += librelay.a
librelay_a_SOURCES = \
	include/relay/dedup.h src/relay/dedup.c include/relay/failover.h \
	include/relay/relay.h src/relay/relay.c src/relay/relay_internal.h src/relay/relay_io.c \
	include/relay/relay_list.h src/relay/relay_list.c \
	include/relay/start_search.h src/relay/start_search.c
