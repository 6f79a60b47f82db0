noinst_LIBRARIES += libpool.a
libpool_a_SOURCES = \
	include/pool/hooks.h \
	include/pool/pool.h src/pool/pool.c \
	src/pool/blame.c src/pool/blame.h \
	src/pool/broadcast.c \
	src/pool/dialer.c src/pool/dialer.h \
	src/pool/dispatch.c src/pool/dispatch.h \
	src/pool/spawn.c src/pool/spawn.h \
	src/pool/worker_exit.c src/pool/worker_exit.h \
	src/pool/worker_log.c src/pool/worker_log.h \
	src/pool/worker_process.h
