noinst_LIBRARIES += libmaster.a
libmaster_a_SOURCES = \
	include/master/context.h \
	include/master/dashboard.h src/master/dashboard.c \
	include/master/filter.h src/master/filter.c \
	include/master/master.h src/master/master.c \
	src/master/check_config.c \
	src/master/failover.c \
	src/master/ingest.c \
	src/master/reload.c \
	src/master/sequence.c \
	src/master/service.c \
	include/master/commands/commands.h src/master/commands/commands.c \
	include/master/commands/dead_letters.h src/master/commands/dead_letters.c \
	include/master/commands/deferred.h src/master/commands/deferred.c \
	include/master/commands/tail.h src/master/commands/tail.c \
	src/master/commands/change.c \
	src/master/commands/pause.c \
	src/master/commands/restart.c \
	src/master/commands/show.c \
	src/master/report/endpoints.c \
	src/master/report/metrics.c \
	src/master/report/sample.c \
	src/master/report/status.c
