# Programs that tests and people use; built by `make`, never installed.
noinst_PROGRAMS += tests/tools/decode-frames
tests_tools_decode_frames_SOURCES = tests/tools/decode-frames.c
tests_tools_decode_frames_LDADD = $(atproto_link)

# Preloaded into firehosed by tests: a shared object, made without libtool.
noinst_PROGRAMS += tests/tools/misbehave.so
tests_tools_misbehave_so_SOURCES = tests/tools/misbehave.c
tests_tools_misbehave_so_CFLAGS = -std=c17 $(WARNING_CFLAGS) -fPIC
tests_tools_misbehave_so_LDFLAGS = -shared
