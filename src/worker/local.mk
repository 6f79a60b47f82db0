noinst_LIBRARIES += libworker.a
libworker_a_SOURCES = \
	include/worker/batch.h src/worker/batch.c \
	include/worker/intake.h src/worker/intake.c \
	include/worker/sandbox.h src/worker/sandbox.c \
	include/worker/timing.h src/worker/timing.c \
	include/worker/worker.h src/worker/worker.c \
	include/worker/setup.h src/worker/fencing.c src/worker/fencing.h \
	src/worker/retry.c src/worker/retry.h \
	src/worker/taps.c src/worker/taps.h \
	src/worker/writer.c src/worker/writer.h
