noinst_LIBRARIES += libmaster.a
libmaster_a_SOURCES = \
	include/master/census.h src/master/census.c \
	include/master/control.h src/master/control.c \
	include/master/control_request.h src/master/control_request.c \
	src/master/commands.c src/master/commands.h src/master/commands_change.c src/master/commands_pause.c \
	src/master/commands_restart.c src/master/commands_show.c \
	src/master/tail.c src/master/tail.h \
	src/master/waiting.c src/master/waiting.h \
	include/master/dashboard.h src/master/dashboard.c include/master/dead_letters.h src/master/dead_letters.c \
	include/master/filter.h src/master/filter.c \
	include/master/figures.h src/master/figures.c \
	include/master/health.h src/master/health.c \
	include/master/http.h src/master/http.c src/master/http_guests.c src/master/http_internal.h \
	include/master/lag.h src/master/lag.c \
	include/master/ledger.h src/master/ledger.c \
	include/master/master.h src/master/master.c src/master/master_internal.h \
	include/master/pool.h src/master/pool.c src/master/pool_internal.h \
	include/master/ring.h src/master/ring.c \
	include/master/relay.h src/master/relay.c src/master/relay_internal.h src/master/relay_io.c \
	include/master/router.h \
	include/master/seek.h src/master/seek.c \
	include/master/seen.h src/master/seen.c \
	include/master/sources.h src/master/sources.c \
	include/master/store.h src/master/store.c src/master/store_begin.c src/master/store_owner.c src/master/store_figures.c \
	src/master/store_internal.h \
	src/master/check_config.c \
	src/master/dialer.c \
	src/master/endpoints.c \
	src/master/feeder.c \
	src/master/frames.c \
	src/master/metrics.c \
	src/master/page.c src/master/page.h \
	src/master/relays.c \
	src/master/reload.c \
	src/master/sample.c \
	src/master/sequence.c \
	src/master/service.c \
	src/master/status.c

# The status page, as the initializer of an array: bytes in hex, by what every POSIX system has.
EXTRA_DIST += src/master/page.html
CLEANFILES += src/master/page.inc
src/master/page.inc: src/master/page.html
	$(AM_V_GEN)$(MKDIR_P) src/master && \
	od -An -v -tx1 $(srcdir)/src/master/page.html | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g' >$@-t && mv $@-t $@
src/master/page.$(OBJEXT): src/master/page.inc
