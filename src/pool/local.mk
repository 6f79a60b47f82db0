noinst_LIBRARIES += libpool.a
libpool_a_SOURCES = \
	include/pool/pool.h src/pool/pool.c src/pool/pool_internal.h \
	src/pool/dialer.c \
	src/pool/dispatch.c
