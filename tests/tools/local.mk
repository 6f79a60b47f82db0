# Programs that tests and people use; built by `make`, never installed.
noinst_PROGRAMS += tests/tools/decode-frames
tests_tools_decode_frames_SOURCES = tests/tools/decode-frames.c
tests_tools_decode_frames_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/reference
tests_tools_decode_frames_LDADD = $(reference_link)

# Preloaded into firehosed by tests: shared objects, made without libtool.
noinst_PROGRAMS += tests/tools/misbehave.so
tests_tools_misbehave_so_SOURCES = tests/tools/misbehave.c tests/tools/worker_frames.c tests/tools/worker_frames.h
tests_tools_misbehave_so_CFLAGS = -std=c17 $(WARNING_CFLAGS) -fPIC
tests_tools_misbehave_so_LDFLAGS = -shared

noinst_PROGRAMS += tests/tools/killer.so
tests_tools_killer_so_SOURCES = tests/tools/killer.c tests/tools/worker_frames.c tests/tools/worker_frames.h
tests_tools_killer_so_CFLAGS = -std=c17 $(WARNING_CFLAGS) -fPIC
tests_tools_killer_so_LDFLAGS = -shared

noinst_PROGRAMS += tests/tools/shortage.so
tests_tools_shortage_so_SOURCES = tests/tools/shortage.c
tests_tools_shortage_so_CFLAGS = -std=c17 $(WARNING_CFLAGS) -fPIC
tests_tools_shortage_so_LDFLAGS = -shared

# For scripts/bench.
noinst_PROGRAMS += tests/tools/bench-decoder tests/tools/read-floor tests/tools/stream-latency
tests_tools_bench_decoder_SOURCES = tests/tools/bench-decoder.c
tests_tools_bench_decoder_LDADD = $(atproto_link)
tests_tools_read_floor_SOURCES = tests/tools/read-floor.c
tests_tools_read_floor_LDADD = $(net_link)
tests_tools_stream_latency_SOURCES = tests/tools/stream-latency.c
tests_tools_stream_latency_LDADD = $(HIREDIS_LIBS)
