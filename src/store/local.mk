noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	include/store/hooks.h \
	include/store/store.h src/store/store.c \
	src/store/begin.c src/store/begin.h \
	src/store/begin_plan.c src/store/begin_plan.h \
	src/store/checkpoint.c src/store/checkpoint.h \
	src/store/foreign.c src/store/foreign.h \
	src/store/letters.c src/store/letters.h \
	src/store/session.c src/store/session.h \
	src/store/inherited.c src/store/inherited.h \
	src/store/record.c src/store/record.h \
	src/store/slots.c src/store/slots.h \
	src/store/trim.c src/store/trim.h \
	include/store/usage.h src/store/usage.c src/store/usage.h \
	src/store/verify.c src/store/verify.h
