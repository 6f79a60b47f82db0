# Programs that tests and people use; built by `make`, never installed.
noinst_PROGRAMS += tests/tools/decode-frames
tests_tools_decode_frames_SOURCES = tests/tools/decode-frames.c
tests_tools_decode_frames_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/reference
tests_tools_decode_frames_LDADD = $(reference_link)
