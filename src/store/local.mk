noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	include/store/store.h src/store/store.c src/store/store_internal.h \
	src/store/store_begin.c \
	src/store/store_figures.c \
	src/store/store_owner.c
