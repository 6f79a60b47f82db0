noinst_LIBRARIES += libmaster.a
libmaster_a_SOURCES = \
	include/master/context.h include/master/exit_code.h \
	include/master/checkpoint.h src/master/checkpoint.c \
	include/master/config_change.h src/master/config_change.c \
	include/master/config_check.h src/master/config_check.c \
	include/master/dashboard.h src/master/dashboard.c \
	include/master/filter.h src/master/filter.c \
	include/master/ingest.h src/master/ingest.c \
	include/master/master.h src/master/master.c \
	include/master/progress.h src/master/progress.c \
	include/master/reload.h src/master/reload.c \
	include/master/service.h src/master/service.c \
	include/master/setting_text.h src/master/setting_text.c \
	include/master/transitions.h src/master/transitions.c \
	include/master/commands/command.h src/master/commands/command.c \
	include/master/commands/commands.h src/master/commands/commands.c \
	include/master/commands/cursor.h src/master/commands/cursor.c \
	include/master/commands/dead_letters.h src/master/commands/dead_letters.c \
	include/master/commands/deferred.h src/master/commands/deferred.c \
	include/master/commands/tail.h src/master/commands/tail.c \
	src/master/commands/change.c \
	src/master/commands/pause.c \
	src/master/commands/restart.c \
	src/master/commands/show.c \
	include/master/report/report.h src/master/report/pages.c src/master/report/take.c
