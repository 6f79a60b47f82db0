noinst_LIBRARIES += librelay.a
librelay_a_SOURCES = \
	src/relay/connection.h src/relay/connection.c \
	include/relay/dedup.h src/relay/dedup.c \
	include/relay/failover.h src/relay/failover.c \
	include/relay/liveness.h src/relay/liveness.c \
	include/relay/relay.h src/relay/relay.c \
	include/relay/sequence.h src/relay/sequence.c \
	include/relay/relay_list.h src/relay/relay_list.c \
	include/relay/start_search.h src/relay/start_search.c
