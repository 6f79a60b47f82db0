noinst_LIBRARIES += libstats.a
libstats_a_SOURCES = \
	include/stats/collection_counts.h src/stats/collection_counts.c \
	include/stats/health.h src/stats/health.c \
	include/stats/history.h src/stats/history.c \
	include/stats/lag.h src/stats/lag.c \
	include/stats/snapshot.h src/stats/snapshot.c \
	include/stats/traffic.h src/stats/traffic.c
