noinst_LIBRARIES += libring.a
libring_a_SOURCES = \
	include/ring/ledger.h src/ring/ledger.c \
	include/ring/ring.h src/ring/ring.c \
	include/ring/router.h
